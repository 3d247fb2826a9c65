//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::graph_args::{GraphCommand, ImportArgs};
use crate::operations_args::OperationsCommand;

/// A federated GraphQL platform in one program.
///
/// `pulse dev --demo` starts everything on this machine with demo data. Settings come from the commented defaults
/// (`pulse config`), then from --config, then from `PULSE__SECTION__FIELD` variables.
#[derive(Debug, Parser)]
#[command(name = "pulse", version, propagate_version = true, arg_required_else_help = true)]
pub struct Cli {
    /// Settings file (TOML); `pulse config` prints one with every default.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the whole platform in this process, on a private PostgreSQL unless `DATABASE_URL` names another.
    Dev(DevArgs),
    /// Run one role of the platform, or all of them, against `DATABASE_URL`.
    #[command(subcommand)]
    Serve(ServeCommand),
    /// Change the database's schema.
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// List and replace the keys that access tokens are signed with.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Load entities and relationships from files; the same as `pulse graph import`.
    Import(ImportArgs),
    /// Import and export the knowledge graph, and keep its copy in Neo4j.
    #[command(subcommand)]
    Graph(GraphCommand),
    /// Prove that what was done is kept as it was written.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Say what is stored about persons.
    #[command(subcommand)]
    Privacy(PrivacyCommand),
    /// Export, compose, compare, check and lint GraphQL schemas.
    #[command(subcommand)]
    Schema(SchemaCommand),
    /// Check and publish the operations that a client sends.
    #[command(subcommand)]
    Operations(OperationsCommand),
    /// Check settings and supergraph of a gateway before it serves.
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Ask a running process whether it is ready; for container health checks.
    Health(HealthArgs),
    /// Print the settings with their defaults and what they mean.
    Config {
        /// Print the JSON Schema of the settings file instead, for editors.
        #[arg(long)]
        schema: bool,
    },
}

/// Arguments of `pulse dev`.
#[derive(Debug, Args)]
pub struct DevArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Where the private PostgreSQL and the signing key are kept.
    #[arg(long, default_value = ".pulse", value_name = "FOLDER")]
    pub data_dir: PathBuf,
    /// Make a demo organization with a login and real data. On loopback addresses only.
    #[arg(long)]
    pub demo: bool,
    /// Delete all data first.
    #[arg(long)]
    pub reset: bool,
}

/// Which role to run.
#[derive(Debug, Subcommand)]
pub enum ServeCommand {
    /// The federation gateway in front of subgraphs over HTTP.
    Gateway(GatewayArgs),
    /// One subgraph, for gateways that hold its secret.
    Subgraph(SubgraphArgs),
    /// The background work: the event log's sequencer, consumer groups, jobs, upkeep.
    Worker(WorkerArgs),
    /// Every role in this process.
    All(ListenArgs),
}

/// Arguments of `pulse serve worker`.
#[derive(Debug, Args)]
pub struct WorkerArgs {
    /// Where to serve /health/live, /health/ready and /metrics. Nowhere unless given: a worker needs no callers.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
}

/// Arguments of `pulse serve gateway`.
#[derive(Debug, Args)]
pub struct GatewayArgs {
    /// Supergraph to serve instead of Pulse's own, in a file or behind a URL; needs no database and no accounts.
    #[arg(long, value_name = "FILE|URL")]
    pub supergraph: Option<String>,
    /// Where to listen.
    #[command(flatten)]
    pub listen: ListenArgs,
}

/// What to do about a gateway without serving.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// Say whether a gateway would start with these settings and this supergraph, and what is suspicious about them.
    ///
    /// Ends with 0 when it would, with 3 for a wrong setting, 41 for a supergraph that cannot be served, 45 for a
    /// subgraph that does not answer (--online) and 46 for a warning (--strict).
    Check(CheckArgs),
    /// Print the JSON Schema of the settings file, for editors.
    Schema,
}

/// Arguments of `pulse gateway check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Supergraph to check too, in a file or behind a URL.
    #[arg(long, value_name = "FILE|URL")]
    pub supergraph: Option<String>,
    /// Where the gateway is going to listen: what is safe for this machine alone may not be for a network.
    #[arg(long, default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
    /// Ask each subgraph whether it answers.
    #[arg(long)]
    pub online: bool,
    /// Fail if there are warnings.
    #[arg(long)]
    pub strict: bool,
    /// For whom the report is.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
}

/// For whom a report is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// People.
    Human,
    /// Programs.
    Json,
}

/// Arguments of `pulse serve subgraph`.
#[derive(Debug, Args)]
pub struct SubgraphArgs {
    /// Which one.
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(crate::platform::SUBGRAPHS))]
    pub name: String,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4001", value_name = "ADDRESS")]
    pub listen: SocketAddr,
}

/// Where to listen.
#[derive(Debug, Args)]
pub struct ListenArgs {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:4000", value_name = "ADDRESS")]
    pub listen: SocketAddr,
}

/// What to do with migrations.
#[derive(Debug, Subcommand)]
pub enum MigrateCommand {
    /// Apply those that are missing.
    Up(DatabaseArgs),
    /// Take back the last ones of an owner. Data in what they made are lost.
    Down {
        /// The owner: platform, accounts, entities, vectors, analytics, operations or registry.
        owner: String,
        /// How many.
        #[arg(long, default_value_t = 1)]
        steps: usize,
        /// Which database.
        #[command(flatten)]
        database: DatabaseArgs,
    },
    /// List them, applied and missing.
    Status(DatabaseArgs),
}

/// Which database a command works on.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// The folder of `pulse dev`, used when `DATABASE_URL` is not set.
    #[arg(long, default_value = ".pulse", value_name = "FOLDER")]
    pub data_dir: PathBuf,
}

/// What to do about the keys of access tokens.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// List the keys, and what each does.
    List(DatabaseArgs),
    /// Make a new key. It is published at once and signs later; tokens of the old one are good until they end.
    Rotate {
        /// Where the keys are.
        #[command(flatten)]
        database: DatabaseArgs,
        /// The old key was stolen: the new one signs at once, and no token of another key is accepted any more. Clients
        /// have to refresh their sessions.
        #[arg(long)]
        now: bool,
    },
    /// Seal everything with the encryption key of now that one of before has sealed, which can be taken away then.
    ///
    /// Workers seal anew by themselves, each hour; the ends of the audit's chain are signed anew by this command alone. It can
    /// be broken off and begun again. Exits with 51 if something could not be opened.
    Reseal(DatabaseArgs),
}

/// What to do with the audit.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk the chain of audit facts of every organization, and say which place is broken first.
    ///
    /// Ends with 50 when one is. The key that secrets are sealed with proves where each chain ends.
    Verify(VerifyAuditArgs),
}

/// Arguments of `pulse audit verify`.
#[derive(Debug, Args)]
pub struct VerifyAuditArgs {
    /// A file of `exportAuditEvents` instead of the database: every link in it follows from the one before, and the key that
    /// secrets are sealed with has signed both ends.
    #[arg(long, value_name = "PATH", conflicts_with = "org")]
    pub file: Option<PathBuf>,
    /// Only this organization, by its slug.
    #[arg(long, value_name = "SLUG")]
    pub org: Option<String>,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What to say of persons' data.
#[derive(Debug, Subcommand)]
pub enum PrivacyCommand {
    /// List every column that holds something of persons: what, whether it is exported, what erasing does with it.
    Inventory(InventoryArgs),
}

/// Arguments of `pulse privacy inventory`.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    /// For whom the list is.
    #[arg(long, value_enum, default_value_t = Format::Human)]
    pub format: Format,
    /// Which database.
    #[command(flatten)]
    pub database: DatabaseArgs,
}

/// What to do with schemas.
#[derive(Debug, Subcommand)]
pub enum SchemaCommand {
    /// Write each subgraph's SDL and the supergraph composed of them.
    Export {
        /// The folder: `subgraphs/NAME.graphql` and `supergraph.graphql` in it.
        #[arg(long, default_value = "schema", value_name = "FOLDER")]
        dir: PathBuf,
        /// Write nothing; fail if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Compose SDL files into a supergraph and print it. The file's name is the subgraph's.
    ///
    /// Ends with 41 when the schemas do not compose. Hints go to standard error.
    Compose(ComposeArgs),
    /// Say what has changed between two supergraphs or API schemas, and what that does to clients.
    ///
    /// Ends with 47 when a change breaks clients, and with 41 when a schema cannot be read.
    Diff(DiffArgs),
    /// Check a new schema of one subgraph: whether it composes with the others, and what it changes for clients.
    ///
    /// Against files, or with --registry against what is published there, by who uses it. Ends with 41 when the schemas do not
    /// compose, with 47 when they do but break clients, with 49 when they break a rule of style that is an error, and with 48
    /// when the registry cannot be reached or refuses.
    Check(CheckSchemaArgs),
    /// Publish a schema of one subgraph to a registry.
    ///
    /// Ends with 41 when it does not compose with the others, which leaves what is served as it is, and with 48 when the
    /// registry cannot be reached or refuses. The same schema again changes nothing.
    Publish(PublishArgs),
    /// Print the supergraph of an environment of a registry.
    ///
    /// Ends with 41 when there is none, and with 48 when the registry cannot be reached or refuses.
    Fetch(FetchArgs),
    /// Check the style of schemas: names, descriptions, deprecation before removal.
    ///
    /// Ends with 49 when a rule that is an error is broken, and with 41 when a schema cannot be read.
    Lint(LintArgs),
}

/// Arguments of `pulse schema compose`.
#[derive(Debug, Args)]
#[command(after_help = LIST_OF_SUBGRAPHS)]
pub struct ComposeArgs {
    /// SDL files; instead or as well, --config names a YAML file that lists subgraphs.
    pub files: Vec<PathBuf>,
    /// Make a contract that shows only fields with this tag, on the field or on its type. May be repeated.
    #[arg(long, value_name = "TAG")]
    pub include: Vec<String>,
    /// Make a contract without what has this tag. May be repeated.
    #[arg(long, value_name = "TAG")]
    pub exclude: Vec<String>,
    /// Make a contract without types that nothing in it leads to.
    #[arg(long)]
    pub hide_unreachable: bool,
    /// For whom the output is; formats for CI report hints, and JSON has the supergraph in it.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// How `--config` lists subgraphs.
const LIST_OF_SUBGRAPHS: &str = "\
List of subgraphs for --config, with files beside it:
  subgraphs:
    accounts:
      routing_url: http://accounts:4001/graphql
      schema: { file: accounts.graphql }";

/// Arguments of `pulse schema diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// The schema as it was: a supergraph or an API schema.
    pub old: PathBuf,
    /// The schema as it will be.
    pub new: PathBuf,
    /// Folder of operations in use (.graphql documents, .json manifests): what none of them notices is safe.
    #[arg(long, value_name = "FOLDER")]
    pub operations: Option<PathBuf>,
    /// For whom the report is.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// Arguments of `pulse schema check`.
#[derive(Debug, Args)]
#[command(after_help = LIST_OF_SUBGRAPHS)]
pub struct CheckSchemaArgs {
    /// The new SDL of the subgraph.
    pub subgraph: PathBuf,
    /// Name of the subgraph, if it is not that of the file.
    #[arg(long)]
    pub name: Option<String>,
    /// SDL files of all subgraphs as they are, the one to be replaced among them; or --config with a list of them.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub with: Vec<PathBuf>,
    /// Folder of operations in use (.graphql documents, .json manifests): what none of them notices is safe.
    #[arg(long, value_name = "FOLDER", conflicts_with = "registry")]
    pub operations: Option<PathBuf>,
    /// The registry to check against, instead of files.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// What the registry is to call the schema, such as a commit.
    #[arg(long, requires = "registry")]
    pub revision: Option<String>,
    /// For a variant that is not there yet: the one whose other subgraphs it would have.
    #[arg(long, value_name = "VARIANT", requires = "registry")]
    pub base: Option<String>,
    /// For whom the report is.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// Which registry, and what of it.
#[derive(Debug, Args)]
pub struct RegistryArgs {
    /// The address of the registry, such as `https://pulse.example.com`.
    #[arg(long, env = "PULSE_REGISTRY", value_name = "URL")]
    pub registry: Option<String>,
    /// An API key of the organization, with the scopes schema:check, schema:publish or schema:read. Better in the environment.
    #[arg(long = "registry-key", env = "PULSE_REGISTRY_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: Option<String>,
    /// The environment.
    #[arg(long, env = "PULSE_REGISTRY_ENVIRONMENT", default_value = "production", value_name = "NAME")]
    pub environment: String,
    /// The variant, such as pr-12 for a pull request.
    #[arg(long, default_value = "current", value_name = "NAME")]
    pub variant: String,
}

/// Arguments of `pulse schema publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The SDL of the subgraph.
    pub subgraph: PathBuf,
    /// Name of the subgraph, if it is not that of the file.
    #[arg(long)]
    pub name: Option<String>,
    /// Where gateways reach the subgraph; as before, if it is left out.
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// Where it is published.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// What you call it, such as a commit.
    #[arg(long)]
    pub revision: Option<String>,
    /// What you say of it.
    #[arg(long)]
    pub message: Option<String>,
    /// For a new variant: the one whose other subgraphs it has.
    #[arg(long, value_name = "VARIANT")]
    pub base: Option<String>,
    /// For a new variant: after how many hours without a further schema it goes by itself.
    #[arg(long, value_name = "HOURS")]
    pub expires_in_hours: Option<i32>,
    /// For whom the report is.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// Arguments of `pulse schema fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// What is fetched.
    #[command(flatten)]
    pub registry: RegistryArgs,
    /// Where to write it, instead of standard output.
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// Arguments of `pulse schema lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// SDL files.
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The schema as it was, to find what was removed without having been deprecated.
    #[arg(long, value_name = "FILE")]
    pub previous: Option<PathBuf>,
    /// YAML file with `rules` (a level for each: error, warning or off) and coordinates to `ignore`.
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// For whom the report is.
    #[arg(long, visible_alias = "output", value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// For whom a report about schemas is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// People.
    Text,
    /// Programs.
    Json,
    /// Code scanning (SARIF 2.1.0).
    Sarif,
    /// Test reports (JUnit XML).
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

/// Arguments of `pulse health`.
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// What to ask.
    #[arg(long, default_value = "http://127.0.0.1:4000/health/ready")]
    pub url: String,
}
