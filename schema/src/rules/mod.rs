//! What each subgraph by itself, the subgraphs among each other and the supergraph must satisfy.
//! One small function per rule; a new rule is one more line in a list.

mod across;
mod applied;
mod consistency;
mod costs;
mod definitions;
mod elements;
mod extensions;
mod external;
mod field_sets;
mod implementations;
mod inaccessible;
mod interface_objects;
mod interfaces;
mod names;
mod overrides;
mod references;
mod values;

use crate::{diagnostic::Diagnostic, subgraph::Subgraph, supergraph::Supergraph};

type Report = Vec<Diagnostic>;

/// What must hold before anything else makes sense.
const SCHEMA_RULES: [fn(&Subgraph, &mut Report); 11] = [
    names::names_are_not_reserved,
    names::types_have_members,
    names::directives_have_arguments_of_input_types,
    references::types_are_defined,
    references::positions_fit,
    references::union_members_are_objects,
    implementations::interfaces_are_implemented,
    values::defaults_fit,
    applied::directives_fit,
    definitions::federation_directives_are_what_they_are,
    definitions::builtin_scalars_are_accessible,
];

const FEDERATION_RULES: [fn(&Subgraph, &mut Report); 12] = [
    field_sets::keys_are_valid,
    field_sets::requires_are_valid,
    field_sets::provides_are_valid,
    external::external_fields_are_used,
    external::external_stands_alone,
    external::merged_directives_are_not_on_external_fields,
    external::types_are_more_than_unused_external,
    costs::costs_are_on_resolvers,
    costs::list_sizes_fit,
    interfaces::federation_directives_suit_interfaces,
    interfaces::keys_of_interfaces_are_on_implementations,
    interface_objects::interface_objects_have_keys,
];

const ACROSS_RULES: [fn(&[Subgraph], &mut Report); 10] = [
    extensions::extensions_have_a_base,
    interface_objects::interface_objects_have_an_interface,
    interface_objects::interface_objects_stand_alone,
    interface_objects::key_subgraphs_know_all_implementations,
    overrides::overrides_have_a_source,
    overrides::overrides_do_not_collide,
    overrides::labels_are_valid,
    consistency::entities_have_keys_everywhere,
    consistency::value_types_have_the_same_fields,
    consistency::unions_have_the_same_members,
];

const SUPERGRAPH_RULES: [fn(&Supergraph, &mut Report); 9] = [
    across::implementations_have_all_fields,
    across::types_have_fields_left,
    across::inputs_can_be_given,
    values::merged_defaults_fit,
    inaccessible::query_is_accessible,
    inaccessible::references_are_accessible,
    inaccessible::something_is_left_accessible,
    inaccessible::required_inputs_are_accessible,
    inaccessible::interface_fields_are_implemented_accessibly,
];

/// Checks subgraphs before they are merged.
pub(crate) fn check_subgraphs(subgraphs: &[Subgraph], report: &mut Report) {
    let before = report.len();
    for subgraph in subgraphs {
        for rule in SCHEMA_RULES {
            rule(subgraph, report);
        }
    }
    if report.len() > before {
        return;
    }
    for subgraph in subgraphs {
        for rule in FEDERATION_RULES {
            rule(subgraph, report);
        }
    }
    for rule in ACROSS_RULES {
        rule(subgraphs, report);
    }
}

/// Checks what came out of the merge.
pub(crate) fn check_supergraph(supergraph: &Supergraph, report: &mut Report) {
    for rule in SUPERGRAPH_RULES {
        rule(supergraph, report);
    }
}
