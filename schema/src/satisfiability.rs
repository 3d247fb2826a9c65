//! Whether every field can be reached: each is planned, on a path that leads to it.

use std::{
    collections::{BTreeSet, HashSet},
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

use hive_router_query_planner::{
    ast::normalization::normalize_operation,
    graph::PlannerOverrideContext,
    planner::{Planner, PlannerError, QueryPlannerOptions},
    utils::{
        cancellation::CancellationToken,
        parsing::{safe_parse_operation, safe_parse_schema},
    },
};

use crate::{
    api,
    code::Code,
    diagnostic::Diagnostic,
    subgraph::{Directive, Field, Kind, ROOT_TYPES, Subgraph, TypeDef, base_name, spec::Fed},
};

/// A single plan that takes longer is given up.
const PLAN_LIMIT: Duration = Duration::from_secs(2);
/// Planning all fields of a schema may take so long.
const TOTAL_LIMIT: Duration = Duration::from_mins(1);
/// The planner's scale for percentages: eight digits after the point.
const FULL_PERCENTAGE: u64 = 100 * 100_000_000;

/// Plans every field of a supergraph on a path that reaches it, and names those that have no plan.
pub fn satisfiability(supergraph: &str) -> Vec<Diagnostic> {
    let schema = match api::read(supergraph) {
        Ok(schema) => schema,
        Err(report) => return report,
    };
    let planner = match load(supergraph) {
        Ok(planner) => planner,
        Err(message) => {
            let error = Diagnostic::error(
                Code::InternalError,
                "",
                format!("the planner does not accept the supergraph: {message}"),
            );
            return vec![
                error.help("this is a mistake of composition itself: please report it with the subgraphs"),
            ];
        }
    };
    let mut walk = Walk::new(&schema, &planner);
    for overrides in Overrides::cases(&planner) {
        walk.run(&overrides);
    }
    walk.report
}

/// Loads a supergraph into the planner, which panics on what it does not expect.
fn load(supergraph: &str) -> Result<Planner, String> {
    let document = safe_parse_schema(supergraph).map_err(|error| error.to_string())?;
    let planner = catch_unwind(|| Planner::new_from_supergraph(&document, QueryPlannerOptions::default()));
    planner.map_err(|panic| panic_text(panic.as_ref()))?.map_err(|error| error.to_string())
}

/// Which labelled `@override`s are on.
struct Overrides {
    flags: HashSet<String>,
    percentage: u64,
}

impl Overrides {
    /// All off, and if there is one, all on.
    fn cases(planner: &Planner) -> Vec<Self> {
        let labels = &planner.supergraph.progressive_overrides;
        let mut cases = vec![Self { flags: HashSet::new(), percentage: FULL_PERCENTAGE }];
        if !labels.flags.is_empty() || !labels.percentages.is_empty() {
            cases.push(Self { flags: labels.flags.clone(), percentage: 0 });
        }
        cases
    }

    fn context(&self) -> PlannerOverrideContext {
        PlannerOverrideContext::new(self.flags.clone(), self.percentage)
    }
}

/// A type, reached by a field or a type condition.
struct Node<'a> {
    ty: &'a TypeDef,
    parent: Option<usize>,
    /// `user(id: $v0)` or `... on User`; the kind of operation at the root.
    step: String,
    variables: Vec<String>,
    /// The subgraphs that the last field comes from: they decide what can be reached from here.
    entry: String,
}

struct Walk<'a> {
    schema: &'a Subgraph,
    planner: &'a Planner,
    nodes: Vec<Node<'a>>,
    seen: BTreeSet<(&'a str, String)>,
    reported: BTreeSet<(&'a str, &'a str)>,
    started: Instant,
    report: Vec<Diagnostic>,
}

enum Outcome {
    Planned,
    Unreachable(String),
    TooLong,
}

impl<'a> Walk<'a> {
    fn new(schema: &'a Subgraph, planner: &'a Planner) -> Self {
        Self {
            schema,
            planner,
            nodes: Vec::new(),
            seen: BTreeSet::new(),
            reported: BTreeSet::new(),
            started: Instant::now(),
            report: Vec::new(),
        }
    }

    fn run(&mut self, overrides: &Overrides) {
        self.seen.clear();
        self.nodes.clear();
        let schema = self.schema;
        for ty in ROOT_TYPES.iter().filter_map(|root| schema.types.get(*root)) {
            self.push(Node {
                ty,
                parent: None,
                step: ty.name.to_lowercase(),
                variables: Vec::new(),
                entry: String::new(),
            });
        }
        let mut next = 0;
        while next < self.nodes.len() {
            if self.started.elapsed() > TOTAL_LIMIT {
                let hint = Diagnostic::hint(
                    Code::CompositionLimit,
                    "",
                    format!("not every field was proven to be reachable within {TOTAL_LIMIT:?}"),
                );
                self.report.push(hint.help("check the schema in parts"));
                return;
            }
            self.visit(next, overrides);
            next += 1;
        }
    }

    fn push(&mut self, node: Node<'a>) {
        if self.seen.insert((&node.ty.name, node.entry.clone())) {
            self.nodes.push(node);
        }
    }

    /// Plans the fields of a node and queues what they and its type conditions lead to.
    fn visit(&mut self, at: usize, overrides: &Overrides) {
        let (schema, ty) = (self.schema, self.nodes[at].ty);
        for field in ty.fields.values().filter(|field| !is_hidden(schema, field)) {
            let (step, variables) = select(field, self.nodes[at].variables.len());
            let target = schema.types.get(base_name(&field.ty)).filter(|target| target.kind.is_composite());
            let operation = self.operation(at, &step, &variables, target.is_some());
            match self.plan(&operation, overrides) {
                Outcome::Planned => {
                    if let Some(ty) = target {
                        let entry = entry(self.nodes[at].ty, field, &self.nodes[at].entry);
                        let variables = [self.nodes[at].variables.as_slice(), &variables].concat();
                        self.push(Node { ty, parent: Some(at), step, variables, entry });
                    }
                }
                Outcome::Unreachable(reason) => self.refuse(ty, field, &operation, &reason),
                Outcome::TooLong => {
                    let hint = Diagnostic::hint(
                        Code::CompositionLimit,
                        coordinate(ty, field),
                        format!("planning the field took longer than {PLAN_LIMIT:?}: {operation}"),
                    );
                    self.report.push(hint.help("give the type fewer overlapping keys"));
                }
            }
        }
        if matches!(ty.kind, Kind::Interface | Kind::Union) {
            for object in schema.implementations(&ty.name).filter(|object| !object.has(Fed::Inaccessible)) {
                let Node { entry, variables, .. } = &self.nodes[at];
                let (entry, variables) = (entry.clone(), variables.clone());
                self.push(Node {
                    ty: object,
                    parent: Some(at),
                    step: format!("... on {}", object.name),
                    variables,
                    entry,
                });
            }
        }
    }

    fn operation(&self, at: usize, step: &str, variables: &[String], has_fields: bool) -> String {
        let mut text = if has_fields { format!("{step} {{ __typename }}") } else { step.to_owned() };
        let mut node = &self.nodes[at];
        let variables = [node.variables.as_slice(), variables].concat();
        while let Some(parent) = node.parent {
            text = format!("{} {{ {text} }}", node.step);
            node = &self.nodes[parent];
        }
        let variables =
            if variables.is_empty() { String::new() } else { format!("({})", variables.join(", ")) };
        format!("{}{variables} {{ {text} }}", node.step)
    }

    fn plan(&self, operation: &str, overrides: &Overrides) -> Outcome {
        let document = match safe_parse_operation(operation) {
            Ok(document) => document,
            Err(error) => return Outcome::Unreachable(error.to_string()),
        };
        let cancellation = CancellationToken::with_timeout(PLAN_LIMIT);
        let planned = catch_unwind(AssertUnwindSafe(|| {
            let normalized = normalize_operation(&self.planner.supergraph, &document, None)
                .map_err(|error| Err(error.to_string()))?;
            let plan = self.planner.plan_from_normalized_operation(
                normalized.executable_operation(),
                overrides.context(),
                &cancellation,
            );
            match plan {
                Ok(_) => Ok(()),
                Err(PlannerError::CancellationError(_)) => Err(Ok(())),
                Err(error) => Err(Err(error.to_string())),
            }
        }));
        match planned {
            Ok(Ok(())) => Outcome::Planned,
            Ok(Err(Ok(()))) => Outcome::TooLong,
            Ok(Err(Err(message))) => Outcome::Unreachable(message),
            Err(panic) => Outcome::Unreachable(panic_text(panic.as_ref())),
        }
    }

    fn refuse(&mut self, ty: &'a TypeDef, field: &'a Field, operation: &str, reason: &str) {
        if !self.reported.insert((&ty.name, &field.name)) {
            return;
        }
        let owners = self.owners(field, ty);
        let reason = if reason.contains("No paths found") { String::new() } else { format!(" ({reason})") };
        let message =
            format!("no path through the subgraphs reaches this field of {owners}: {operation}{reason}");
        let help = format!(
            "give {} a @key that {owners} resolves and the subgraph before it knows, or define the field there too and mark it @shareable",
            ty.name
        );
        self.report
            .push(Diagnostic::error(Code::SatisfiabilityError, coordinate(ty, field), message).help(help));
    }

    /// The names of the subgraphs that resolve a field.
    fn owners(&self, field: &Field, ty: &TypeDef) -> String {
        let names = &self.planner.supergraph.known_subgraphs;
        let of = |directives: &[Directive], name: &str| -> BTreeSet<String> {
            let joins = directives
                .iter()
                .filter(|directive| directive.name == name && directive.arg("external").is_none());
            joins.filter_map(|join| names.get(&join.arg("graph")?.to_string()).cloned()).collect()
        };
        let mut owners = of(&field.directives, "join__field");
        if owners.is_empty() {
            owners = of(&ty.directives, "join__type");
        }
        owners.into_iter().collect::<Vec<_>>().join(" or ")
    }
}

fn coordinate(ty: &TypeDef, field: &Field) -> String {
    format!("{}.{}", ty.name, field.name)
}

fn is_hidden(schema: &Subgraph, field: &Field) -> bool {
    field.has(Fed::Inaccessible)
        || schema.types.get(base_name(&field.ty)).is_some_and(|ty| ty.has(Fed::Inaccessible))
}

/// The field with a variable for each argument that must be given.
fn select(field: &Field, first: usize) -> (String, Vec<String>) {
    let required = field.args.values().filter(|argument| argument.is_required());
    let given: Vec<_> =
        required.enumerate().map(|(index, argument)| (format!("$v{}", first + index), argument)).collect();
    if given.is_empty() {
        return (field.name.clone(), Vec::new());
    }
    let arguments: Vec<_> =
        given.iter().map(|(variable, argument)| format!("{}: {variable}", argument.name)).collect();
    let variables = given.iter().map(|(variable, argument)| format!("{variable}: {}", argument.ty)).collect();
    (format!("{}({})", field.name, arguments.join(", ")), variables)
}

/// What tells two ways of reaching a type apart: where the field comes from and what it provides.
/// A field that every subgraph of its type has comes from where its parent came from.
fn entry(parent: &TypeDef, field: &Field, parent_entry: &str) -> String {
    let printed = |directives: &[Directive], name: &str| -> Vec<String> {
        directives.iter().filter(|directive| directive.name == name).map(Directive::print).collect()
    };
    let fields = printed(&field.directives, "join__field");
    if !fields.is_empty() {
        return fields.concat();
    }
    match printed(&parent.directives, "join__type").as_slice() {
        [only] => only.clone(),
        _ => parent_entry.to_owned(),
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the planner gave up: {}", text.unwrap_or("no reason given"))
}
