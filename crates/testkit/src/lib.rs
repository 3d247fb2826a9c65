//! A database, a platform and callers of two tenants for each test.
