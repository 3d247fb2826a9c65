//! People, organizations, memberships and the tokens that they sign in with.
