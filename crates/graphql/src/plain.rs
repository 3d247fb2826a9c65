//! Objects in lists, whose plain fields are answered without a future for each.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{Field, Selection, SelectionSet};
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, Name, OutputType, Positioned, ServerResult, Value};

/// An object of which some fields are plain: known without reading anything, and without arguments.
///
/// They have a resolver each as well, which says the same: objects that are not [`Node`]s are answered by it, and so are
/// those of which something is asked that is not plain.
pub trait PlainFields: OutputType {
    /// The field's value; `None` for one that has to be resolved.
    fn plain_field(&self, field: &Field) -> Option<Value>;
}

/// All that is selected of an object, if all of it is plain.
pub fn plain<T: PlainFields>(object: &T, selection: &SelectionSet) -> Option<Value> {
    let mut values = IndexMap::with_capacity(selection.items.len());
    for selected in &selection.items {
        let Selection::Field(Positioned { node: field, .. }) = &selected.node else { return None };
        // Directives of the subgraph's own would have to run; `@skip` and `@include` are gone by now.
        if !field.directives.is_empty() {
            return None;
        }
        let value = match field.name.node.as_str() {
            "__typename" => Value::String(object.introspection_type_name().into_owned()),
            _ => object.plain_field(field)?,
        };
        // Two of one name are merged, which is the resolvers' affair.
        let key: Name = field.response_key().node.clone();
        if values.insert(key, value).is_some() {
            return None;
        }
    }
    Some(Value::Object(values))
}

/// An object as it stands in a list.
///
/// A future is made, moved and polled for every field that is resolved; of a list of hundreds of objects that is most of
/// the work, and for plain fields it does nothing.
#[derive(Debug, Clone)]
pub struct Node<T>(pub T);

impl<T: PlainFields> OutputType for Node<T> {
    fn type_name() -> Cow<'static, str> {
        T::type_name()
    }

    fn introspection_type_name(&self) -> Cow<'static, str> {
        self.0.introspection_type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        T::create_type_info(registry)
    }

    async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
        match plain(&self.0, &ctx.item.node) {
            Some(value) => Ok(value),
            None => Box::pin(self.0.resolve(ctx, field)).await,
        }
    }
}
