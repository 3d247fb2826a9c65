//! Which names beginning with two underscores are fields (GraphQL specification, §4 Introspection).

use graphql_tools::ast::{OperationVisitor, OperationVisitorContext};
use graphql_tools::static_graphql::query::Field;
use graphql_tools::validation::rules::{ValidationRule, ValidationVisitor};
use graphql_tools::validation::utils::{ValidationError, ValidationErrorContext};

/// `__typename` is everywhere, `__schema` and `__type` are fields of the query type, and there are no others but those of
/// the introspection types themselves.
pub(super) struct MetaFields;

impl ValidationRule for MetaFields {
    fn error_code(&self) -> &'static str {
        "FieldsOnCorrectType"
    }

    fn visitor<'doc>(&self) -> ValidationVisitor<'doc> {
        Box::new(Self)
    }
}

impl<'doc> OperationVisitor<'doc, ValidationErrorContext> for MetaFields {
    fn enter_field(
        &mut self,
        context: &mut OperationVisitorContext<'doc>,
        errors: &mut ValidationErrorContext,
        field: &Field,
    ) {
        let Some(parent) = context.current_parent_type() else { return };
        let is_known = match field.name.as_str() {
            "__typename" => true,
            "__schema" | "__type" => parent.name() == context.schema.query_type().name,
            // Whatever does not begin with two underscores is checked by the rule of the library.
            other => !other.starts_with("__") || parent.field_by_name(other).is_some(),
        };
        if !is_known {
            errors.report_error(ValidationError {
                error_code: self.error_code(),
                locations: vec![field.position],
                message: format!("Cannot query field \"{}\" on type \"{}\".", field.name, parent.name()),
            });
        }
    }
}
