//! What all subgraphs need of GraphQL: errors, connections, context, the subgraph value and its HTTP server.
