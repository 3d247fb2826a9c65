//! For whom what a subgraph answers may be kept: `@cacheControl`, as composition and the gateway read it.
//!
//! Types say who shares them, and settings say for how long, since each change of what an answer was made of ends it. A time
//! in the schema would be told to clients, too, which nobody tells of changes.

use async_graphql::{Enum, TypeDirective};

/// Who may be given an answer that was made for somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub enum CacheControlScope {
    /// Nobody: it is the caller's alone.
    Private,
    /// Everybody in the tenant who has the same rights.
    Tenant,
    /// Everybody, signed in or not.
    Public,
}

/// Says of a type, or of a field, who may share it. Of a type it must be true of every field that the subgraph gives it.
#[TypeDirective(name = "cacheControl", location = "Object", location = "FieldDefinition")]
pub fn cache_control(
    #[graphql(desc = "Who may be given an answer that was made for somebody else.")] scope: Option<
        CacheControlScope,
    >,
) {
}

/// What is said of the parts of connections, which async-graphql gives no directives: they are shared by whoever shares what
/// they hold, and kept as long.
const HOLDER: &str = " @cacheControl(inheritMaxAge: true, scope: PUBLIC) {";

/// An SDL in which edges and `PageInfo` say that they are kept as what is around them and in them.
pub(crate) fn with_holders(sdl: &str) -> String {
    let is_holder = |line: &str| {
        let name = line.strip_prefix("type ").and_then(|rest| rest.strip_suffix(" @shareable {"));
        name.is_some_and(|name| name == "PageInfo" || name.ends_with("Edge"))
    };
    let lines = sdl.lines().map(|line| match line.strip_suffix(" {") {
        Some(start) if is_holder(line) => format!("{start}{HOLDER}\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_and_page_info_are_kept_as_what_is_around_them() {
        let sdl = "type PageInfo @shareable {\n  a: Int\n}\ntype AEdge @shareable {\n}\ntype A {\n}\ntype Edges @shareable {\n}\n";
        let said = "type PageInfo @shareable @cacheControl(inheritMaxAge: true, scope: PUBLIC) {\n  a: Int\n}\n\
                    type AEdge @shareable @cacheControl(inheritMaxAge: true, scope: PUBLIC) {\n}\ntype A {\n}\ntype Edges @shareable {\n}\n";
        assert_eq!(with_holders(sdl), said);
    }
}
