//! Files that come with operations (GraphQL multipart request specification).

mod files;
mod forms;
mod limits;
mod store;
