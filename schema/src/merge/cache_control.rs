//! `@cacheControl`: of what several subgraphs say, the shortest time and the narrowest scope.
//!
//! What one says of a type is true of its own fields alone. So a type says nothing in the supergraph while a subgraph that
//! adds fields to it says nothing: nobody is to share what that subgraph never gave away.

use async_graphql_value::ConstValue;

use super::{Merge, Source, fields::FieldSource};
use crate::{
    code::Code,
    diagnostic::{Diagnostic, Place},
    subgraph::{
        Directive, Kind, all, base_name,
        spec::{CACHE_SCOPE, Fed},
    },
};

/// What one `@cacheControl` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Said {
    max_age: Option<i64>,
    /// The place of its scope among those of [`CACHE_SCOPE`].
    scope: Option<usize>,
    inherits: bool,
}

impl Said {
    /// What is true of nothing else.
    const NEVER: Self = Self { max_age: Some(0), scope: Some(0), inherits: false };

    fn read(directives: &[Directive]) -> Option<Self> {
        let directive = all(directives, Fed::CacheControl).next()?;
        let max_age = match directive.arg("maxAge") {
            Some(ConstValue::Number(seconds)) => seconds.as_i64(),
            _ => None,
        };
        let scope = match directive.arg("scope") {
            Some(ConstValue::Enum(scope)) => CACHE_SCOPE.1.iter().position(|known| known == scope),
            _ => None,
        };
        let inherits = directive.arg("inheritMaxAge") == Some(&ConstValue::Boolean(true));
        Some(Self { max_age, scope, inherits })
    }

    /// What all of them say. Who names no scope is not taken to mean a wide one, unless `is_inherited`.
    fn merged(all: &[Self], is_inherited: bool) -> Self {
        let max_age = all.iter().filter_map(|said| said.max_age).min();
        let narrowest = all.iter().filter_map(|said| said.scope).min();
        let is_silent = all.iter().any(|said| said.scope.is_none());
        let scope = narrowest.map(|scope| if is_silent && !is_inherited { 0 } else { scope });
        Self { max_age, scope, inherits: all.iter().all(|said| said.inherits) }
    }

    fn print(self) -> Option<String> {
        let arguments: Vec<_> = [
            self.max_age.map(|seconds| format!("maxAge: {seconds}")),
            self.scope.map(|scope| format!("scope: {}", CACHE_SCOPE.1[scope])),
            self.inherits.then(|| "inheritMaxAge: true".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        (!arguments.is_empty()).then(|| format!("@cacheControl({})", arguments.join(", ")))
    }
}

impl<'a> Merge<'a> {
    pub(super) fn cache_control_of_type(&mut self, name: &str, sources: &[Source<'a>]) -> Option<String> {
        let said: Vec<_> = sources.iter().filter_map(|source| Said::read(&source.ty.directives)).collect();
        if said.is_empty() {
            return None;
        }
        let silent: Vec<_> = sources
            .iter()
            .filter(|source| adds_fields(source) && Said::read(&source.ty.directives).is_none())
            .collect();
        if silent.is_empty() {
            return self.printed(Said::merged(&said, false));
        }
        let names: Vec<_> = silent.iter().map(|source| source.subgraph.name.as_str()).collect();
        let message =
            format!("@cacheControl is left out, as {} adds fields and says nothing", names.join(", "));
        let places = silent.iter().map(|source| source.place()).collect();
        self.hint(name, message, places, "say with @cacheControl what is true of these fields, too");
        None
    }

    pub(super) fn cache_control_of_field(
        &mut self,
        coordinate: &str,
        resolving: &[FieldSource<'a>],
    ) -> Option<String> {
        let of = |source: &FieldSource<'_>| Said::read(&source.field.directives);
        let said: Vec<_> = resolving.iter().filter_map(of).collect();
        if said.is_empty() {
            return None;
        }
        // A leaf of which nothing is said is kept as its object is; what is said of it can only narrow that.
        let is_leaf = resolving.iter().all(|source| {
            let kind = source.subgraph.kind(base_name(&source.field.ty));
            matches!(kind, Some(Kind::Scalar | Kind::Enum))
                && !crate::subgraph::ROOT_TYPES.contains(&source.ty)
        });
        let silent: Vec<_> = resolving.iter().filter(|source| of(source).is_none()).collect();
        if silent.is_empty() || is_leaf {
            return self.printed(Said::merged(&said, is_leaf));
        }
        let names: Vec<_> = silent.iter().map(|source| source.subgraph.name.as_str()).collect();
        let message = format!("nobody keeps the field, as {} says nothing of it", names.join(", "));
        let places = silent.iter().map(|source| source.place()).collect();
        self.hint(coordinate, message, places, "say with @cacheControl what is true of it there, too");
        self.printed(Said::NEVER)
    }

    fn printed(&mut self, said: Said) -> Option<String> {
        let printed = said.print()?;
        self.features.insert(Fed::CacheControl);
        Some(printed)
    }

    fn hint(&mut self, coordinate: &str, message: String, places: Vec<Place>, help: &str) {
        let hint = Diagnostic::hint(Code::CacheControlInconsistent, coordinate, message);
        self.report.push(Diagnostic { places, ..hint }.help(help));
    }
}

/// Whether a subgraph gives more of a type than what tells its objects apart.
fn adds_fields(Source { subgraph, ty }: &Source<'_>) -> bool {
    let is_key = |field: &str| subgraph.key_fields.contains(&(ty.name.clone(), field.to_owned()));
    ty.fields.values().any(|field| !field.has(Fed::External) && !is_key(&field.name))
}
