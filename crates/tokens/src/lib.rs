//! Tokens that prove a caller: to the gateway (EdDSA) and to a subgraph (HMAC).
