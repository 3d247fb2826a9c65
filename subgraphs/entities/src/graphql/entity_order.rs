//! The order of a list of entities.

use async_graphql::{Enum, InputObject};

use crate::check::Problem;
use crate::entity::filter::{self, EntityFilter};
use crate::entity::list::{self, ValueKind};
use crate::relationship::of_entities::Direction;

/// What entities can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(crate) enum EntityOrderField {
    /// Their names, by code point.
    Name,
    /// Their keys, by code point.
    Key,
    /// When they were created.
    CreatedAt,
    /// When they were last changed.
    UpdatedAt,
    /// How sure they are.
    Confidence,
}

/// Which way a list is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EntityOrderDirection")]
pub(crate) enum OrderDirection {
    /// The least first.
    Asc,
    /// The greatest first.
    Desc,
}

/// The order of a list of entities, by `field`, `property` or `relations`; equals are in order of their creation.
#[derive(Debug, InputObject)]
pub(crate) struct EntityOrder {
    /// By what all entities have.
    field: Option<EntityOrderField>,
    /// By a property of a type, which `filter.type` must name. The list has the entities of which it has a value of that kind.
    property: Option<PropertyOrder>,
    /// By how many relationships they have. The filter may let at most 10,000 entities through.
    relations: Option<RelationOrder>,
    /// Which way.
    #[graphql(default_with = "OrderDirection::Asc")]
    direction: OrderDirection,
}

/// A property that a list is ordered by.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityPropertyOrder")]
pub(crate) struct PropertyOrder {
    /// What the property is called.
    name: String,
    /// As what its values are compared.
    kind: PropertyKind,
}

/// The relationships by whose number a list is ordered.
#[derive(Debug, InputObject)]
#[graphql(name = "EntityRelationOrder")]
pub(crate) struct RelationOrder {
    /// Those of this type; of any unless given.
    #[graphql(name = "type")]
    type_name: Option<String>,
    /// Which way they go, seen from the entity.
    #[graphql(default_with = "Direction::Both")]
    direction: Direction,
}

/// As what values of a property are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
#[graphql(name = "EntityPropertyKind")]
pub(crate) enum PropertyKind {
    /// As texts, by code point.
    Text,
    /// As numbers.
    Number,
    /// As times.
    Time,
}

impl From<PropertyKind> for ValueKind {
    fn from(kind: PropertyKind) -> Self {
        match kind {
            PropertyKind::Text => Self::Text,
            PropertyKind::Number => Self::Number,
            PropertyKind::Time => Self::Time,
        }
    }
}

impl EntityOrder {
    /// The order of a list that is narrowed by `filter`; that of creation unless one is given.
    pub(super) fn of_list(order: Option<Self>, filter: &EntityFilter) -> Result<list::EntityOrder, Problem> {
        let Some(Self { field, property, relations, direction }) = order else {
            return Ok(list::EntityOrder { field: list::EntityOrderField::CreatedAt, descending: false });
        };
        let field = match (field, property, relations) {
            (Some(field), None, None) => field.into(),
            (None, Some(PropertyOrder { name, kind }), None) => {
                filter::check_property_name(&name)?;
                if filter.type_name.is_none() {
                    let text = "`orderBy.property` needs `filter.type`: properties are those of a type";
                    return Err(Problem::new("orderBy.property", text));
                }
                list::EntityOrderField::Property(name, kind.into())
            }
            (None, None, Some(RelationOrder { type_name, direction })) => {
                type_name.as_deref().map_or(Ok(()), filter::check_property_name)?;
                list::EntityOrderField::Relations(type_name, direction)
            }
            _ => {
                let text = "`orderBy` needs exactly one of `field`, `property` and `relations`";
                return Err(Problem::new("orderBy", text));
            }
        };
        Ok(list::EntityOrder { field, descending: direction == OrderDirection::Desc })
    }
}

impl From<EntityOrderField> for list::EntityOrderField {
    fn from(field: EntityOrderField) -> Self {
        match field {
            EntityOrderField::Name => Self::Name,
            EntityOrderField::Key => Self::Key,
            EntityOrderField::CreatedAt => Self::CreatedAt,
            EntityOrderField::UpdatedAt => Self::UpdatedAt,
            EntityOrderField::Confidence => Self::Confidence,
        }
    }
}
