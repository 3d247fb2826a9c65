//! What it costs to know who asks and what they may do, and how many people sign in in a second.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use async_graphql::{Request, Variables};
use http::{HeaderMap, HeaderValue};
use nix::sys::resource::{UsageWho, getrusage};
use pulse_accounts::{
    Held, Machines, Member, PasswordHashConfig, Policy, PolicyAssignment, PolicyRole, PolicyRows, PolicyUnit,
    Principal, Target, Whom, decide,
};
use pulse_bench_harness::table::{print, say};
use pulse_gateway::ports::Authenticator;
use pulse_graphql::Subgraph;
use pulse_testkit::TestDatabase;
use pulse_tokens::AccessTokens;
use pulse_types::{
    Caller, Clock, OrgId, Permission, Permissions, RequestId, Resource, ResourceKind, Role, RoleAssignmentId,
    RoleId, Subject, UnitId, UserId,
};
use pulse_wiring::platform::{Database, Platform, Revoked, TokenAuthenticator};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::platform::{settings, tokens};

const PASSWORD: &str = "violet harbour, 9 tin drums";

/// Roles whose permissions come together in one token, and permissions in each.
const ROLES: usize = 50;
const IN_A_ROLE: usize = 20;

/// Sub-organizations inside each other.
const LEVELS: usize = 5;

/// Checks of a credential and of a permission, and signing in beside bare argon2id.
#[derive(Clone, clap::Args)]
pub(crate) struct Args {
    /// Checks in each of the rounds of one row, of which the fastest is told.
    #[arg(long, default_value_t = 20_000)]
    checks: u32,
    /// Rounds of each row.
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Seconds of signing in, and of bare argon2id.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// People who sign in at the same time.
    #[arg(long, default_value_t = 8)]
    people: usize,
}

/// What one check costs, in microseconds.
#[derive(Debug, Clone, Copy)]
struct Cost {
    wall: f64,
    /// Of this process; the database's own time is in the wall time alone.
    cpu: f64,
}

/// Somebody with a tenant and an API key.
struct Stage {
    platform: Platform,
    machines: Arc<Machines>,
    tokens: AccessTokens,
    token: String,
    key: String,
}

pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let database = TestDatabase::new().await?;
    let stage = Stage::new(&database).await?;
    let rows = checks(&args, &stage).await?;
    say(&format!("\n{} checks a round, the fastest of {} rounds", args.checks, args.rounds));
    print(&["check", "\u{b5}s", "CPU \u{b5}s", "goal \u{b5}s"], &rows);
    let rows = sign_ins(&args, &stage).await?;
    say(&format!("\n{} people at once, {} s", args.people, args.seconds));
    print(&["signing in", "per second", "of bare argon2id"], &rows);
    stage.platform.background.stop().await;
    Ok(())
}

impl Stage {
    async fn new(database: &TestDatabase) -> anyhow::Result<Self> {
        let settings = settings(std::iter::empty())?;
        let existing = Database::existing(database.options());
        let tokens = tokens()?;
        let platform = Platform::start(&existing, &tokens, &settings, None).await?;
        let accounts = accounts(&platform.subgraphs)?.clone();
        let clock = platform.store().clock().clone();
        let nobody = Caller::anonymous(RequestId::new(clock.now()));
        let register = "mutation ($input: RegisterInput!) { register(input: $input) { user { id } } }";
        let input = json!({ "email": "ada@bench.example", "password": PASSWORD, "name": "Ada" });
        let made = ask(&accounts, &nobody, register, &input).await?;
        let user: UserId = text(&made["register"]["user"]["id"])?.parse()?;
        let person = Caller { subject: Subject::User(user), ..nobody.clone() };
        let create = "mutation ($input: CreateOrganizationInput!) {
            createOrganization(input: $input) { organization { id } } }";
        let made = ask(&accounts, &person, create, &json!({ "slug": "bench", "name": "Bench" })).await?;
        let org: OrgId = text(&made["createOrganization"]["organization"]["id"])?.parse()?;
        let owner = Caller { org: Some(org), permissions: pulse_types::Role::Owner.permissions(), ..person };
        let create = "mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { secret } }";
        let scopes = pulse_types::Role::Viewer.permissions();
        let scopes: Vec<_> = scopes.iter().map(Permission::as_str).collect();
        let made = ask(&accounts, &owner, create, &json!({ "name": "Bench", "scopes": scopes })).await?;
        let key = text(&made["createApiKey"]["secret"])?;
        let machines = Arc::new(Machines::new(platform.store().clone()));
        let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
        let input =
            json!({ "email": "ada@bench.example", "password": PASSWORD, "organizationSlug": "bench" });
        let signed_in = ask(&accounts, &nobody, sign_in, &input).await?;
        let token = text(&signed_in["signIn"]["accessToken"])?;
        Ok(Self { platform, machines, tokens, token, key })
    }

    fn authenticator(&self) -> TokenAuthenticator {
        let clock = self.platform.store().clock().clone();
        let machines = Arc::clone(&self.machines) as _;
        TokenAuthenticator::new(self.tokens.clone(), machines, clock, Arc::<Revoked>::default())
    }
}

/// A row for each check: of credentials that are remembered, as almost all are, and of such that are seen first.
async fn checks(args: &Args, stage: &Stage) -> anyhow::Result<Vec<Vec<String>>> {
    let (authenticator, gateway) = (stage.authenticator(), &stage.platform.gateway);
    let mut rows = Vec::new();
    for (name, credential, goal) in [("token", &stage.token, "50"), ("API key", &stage.key, "50")] {
        let headers = bearer(credential)?;
        let remembered = args.measure(args.checks, async || gateway.who_asks(&headers).await.is_ok()).await?;
        rows.push(row(&format!("{name}, remembered"), remembered, goal));
        // The first check of a credential in a process, and of a key once a minute.
        let first =
            args.measure(args.checks / 20, async || authenticator.authenticate(&headers).await.is_ok());
        rows.push(row(&format!("{name}, seen first"), first.await?, "-"));
    }
    let (caller, wanted) = everything_of_many_roles(stage)?;
    let permission = args.measure(args.checks, async || {
        wanted.iter().all(|permission| std::hint::black_box(&caller).require(permission).is_ok())
    });
    let permission = permission.await?;
    let each = |cost: f64| cost / f64::from(u32::try_from(wanted.len()).unwrap_or(u32::MAX));
    let permission = Cost { wall: each(permission.wall), cpu: each(permission.cpu) };
    rows.push(row("permission, of 50 roles in one token", permission, "10"));
    rows.extend(decisions(args, stage).await?);
    Ok(rows)
}

/// Rows for the function that decides: somebody in a team five levels down has fifty roles, ten from each level, and asks about a unit
/// as deep. Every decision says all its reasons; there is no cheaper one that says none.
async fn decisions(args: &Args, stage: &Stage) -> anyhow::Result<Vec<Vec<String>>> {
    let now = stage.platform.store().clock().now();
    let (policy, member) = deep_policy(stage.platform.store().clock());
    let target = member.units.first().context("belongs to none")?;
    let target = Target::Thing(Resource::new(ResourceKind::UNIT, target.uuid()));
    let mut rows = Vec::new();
    for (name, permission, expected) in [
        ("decision that is given by all of 50 roles in 5 levels", Permission::MEMBER_READ, true),
        ("decision that is given by the last of them", Permission::UNIT_MANAGE, true),
        ("decision that none of them gives", Permission::ACCESS_MANAGE, false),
    ] {
        let cost = args.measure(args.checks, async || {
            let (policy, member) = std::hint::black_box((&policy, &member));
            decide(policy, Principal::Person(member), &permission, &target, now).allowed == expected
        });
        rows.push(row(name, cost.await?, "10"));
    }
    let held = args.measure(args.checks / 20, async || {
        let (policy, member) = std::hint::black_box((&policy, &member));
        Held::new(policy, Principal::Person(member), now).is_member
    });
    rows.push(row("all of it, for a token", held.await?, "-"));
    Ok(rows)
}

/// A tenant of that shape, and the person.
fn deep_policy(clock: &Clock) -> (Policy, Member) {
    let now = clock.now();
    let units: Vec<_> = (0..LEVELS).map(|_| UnitId::new(now)).collect();
    let mut rows = PolicyRows::default();
    for (level, id) in units.iter().enumerate() {
        let parent = level.checked_sub(1).map(|above| units[above]);
        rows.units.push(PolicyUnit { id: *id, parent, name: format!("level {level}") });
    }
    for number in 0..ROLES {
        let role = RoleId::new(now);
        let mut permissions = vec![Permission::MEMBER_READ, Permission::ENTITY_READ];
        if number == ROLES - 1 {
            permissions.push(Permission::UNIT_MANAGE);
        }
        rows.roles.push(PolicyRole { id: role, name: format!("role {number}"), permissions });
        let unit = units[number % LEVELS];
        rows.assignments.push(PolicyAssignment {
            id: RoleAssignmentId::new(now),
            whom: Whom::Unit(unit),
            role: Some(role),
            template: None,
            place: Some(unit),
        });
    }
    let deepest = units.last().copied().into_iter().collect();
    (Policy::new(rows), Member { user: UserId::new(now), role: Some(Role::Viewer), units: deepest })
}

/// A caller who has the permissions of many roles, and some to ask for.
fn everything_of_many_roles(stage: &Stage) -> anyhow::Result<(Caller, Vec<Permission>)> {
    let now = stage.platform.store().clock().now();
    let name = |role: usize, n: usize| Permission::from(format!("thing-{role}-{n}:read"));
    let all: Permissions = (0..ROLES).flat_map(|role| (0..IN_A_ROLE).map(move |n| name(role, n))).collect();
    let wanted = (0..ROLES).map(|role| name(role, role % IN_A_ROLE)).collect();
    let caller = Caller {
        subject: Subject::User(UserId::new(now)),
        org: Some(OrgId::new(now)),
        permissions: all,
        ..Caller::anonymous(RequestId::new(now))
    };
    ensure!(caller.permissions.iter().count() == ROLES * IN_A_ROLE, "roles share permissions");
    Ok((caller, wanted))
}

impl Args {
    /// The fastest round of so many checks, each of which has to be good.
    async fn measure(&self, checks: u32, check: impl AsyncFn() -> bool) -> anyhow::Result<Cost> {
        let checks = checks.max(1);
        let mut best: Option<Cost> = None;
        for _ in 0..self.rounds.max(1) {
            let (began, cpu) = (Instant::now(), cpu_time()?);
            for _ in 0..checks {
                ensure!(check().await, "a check has failed");
            }
            let each = |time: Duration| time.as_secs_f64() * 1e6 / f64::from(checks);
            let cost = Cost { wall: each(began.elapsed()), cpu: each(cpu_time()?.saturating_sub(cpu)) };
            best = best.filter(|best| best.wall <= cost.wall).or(Some(cost));
        }
        best.context("nothing was measured")
    }
}

async fn sign_ins(args: &Args, stage: &Stage) -> anyhow::Result<Vec<Vec<String>>> {
    let PasswordHashConfig { memory, iterations, parallelism } = PasswordHashConfig::default();
    let params =
        Params::new(memory, iterations, parallelism, None).map_err(|error| anyhow::anyhow!("{error}"))?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let salt = SaltString::encode_b64(&[7; 16]).map_err(|error| anyhow::anyhow!("{error}"))?;
    let hash =
        argon2.hash_password(PASSWORD.as_bytes(), &salt).map_err(|error| anyhow::anyhow!("{error}"))?;
    let hash: Arc<str> = hash.to_string().into();
    let bare = per_second(args, move || {
        let (argon2, hash) = (argon2.clone(), Arc::clone(&hash));
        async move {
            let verified = tokio::task::spawn_blocking(move || {
                let parsed = PasswordHash::new(&hash).ok();
                parsed.is_some_and(|hash| argon2.verify_password(PASSWORD.as_bytes(), &hash).is_ok())
            });
            verified.await.unwrap_or(false)
        }
    });
    let bare = bare.await?;
    let accounts = accounts(&stage.platform.subgraphs)?.clone();
    let clock = stage.platform.store().clock().clone();
    let signed_in = per_second(args, move || {
        let (accounts, nobody) = (accounts.clone(), Caller::anonymous(RequestId::new(clock.now())));
        async move {
            let sign_in = "mutation ($input: SignInInput!) { signIn(input: $input) { accessToken } }";
            let input = json!({ "email": "ada@bench.example", "password": PASSWORD });
            ask(&accounts, &nobody, sign_in, &input).await.is_ok()
        }
    });
    let signed_in = signed_in.await?;
    let row =
        |name: &str, rate: f64| vec![name.to_owned(), format!("{rate:.1}"), format!("{:.2}", rate / bare)];
    Ok(vec![row("bare argon2id", bare), row("signIn", signed_in)])
}

/// How often something is done in a second by all people together.
async fn per_second<F>(args: &Args, what: impl Fn() -> F + Clone + Send + 'static) -> anyhow::Result<f64>
where
    F: Future<Output = bool> + Send,
{
    let (began, time) = (Instant::now(), Duration::from_secs(args.seconds));
    let mut people = JoinSet::new();
    for _ in 0..args.people {
        let what = what.clone();
        people.spawn(async move {
            let mut done = 0_u32;
            while began.elapsed() < time {
                ensure!(what().await, "signing in has failed");
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0.0;
    while let Some(person) = people.join_next().await {
        done += f64::from(person??);
    }
    Ok(done / began.elapsed().as_secs_f64())
}

/// The CPU time of this process so far.
fn cpu_time() -> anyhow::Result<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let all = usage.user_time() + usage.system_time();
    Ok(Duration::from_micros(u64::try_from(all.tv_sec() * 1_000_000 + all.tv_usec())?))
}

async fn ask(accounts: &Subgraph, caller: &Caller, query: &str, input: &Value) -> anyhow::Result<Value> {
    let variables = Variables::from_json(json!({ "input": input }));
    let request = Request::new(query).variables(variables);
    let response = accounts.api.execute(Arc::new(caller.clone()), request).await;
    ensure!(response.errors.is_empty(), "{:?}", response.errors);
    Ok(response.data.into_json()?)
}

fn accounts(subgraphs: &[Subgraph]) -> anyhow::Result<&Subgraph> {
    subgraphs.iter().find(|subgraph| subgraph.name == "accounts").context("there is no accounts")
}

fn bearer(credential: &str) -> anyhow::Result<HeaderMap> {
    let value = HeaderValue::try_from(format!("Bearer {credential}"))?;
    Ok(HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]))
}

fn text(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("no text")?.to_owned())
}

fn row(name: &str, cost: Cost, goal: &str) -> Vec<String> {
    vec![name.to_owned(), format!("{:.2}", cost.wall), format!("{:.2}", cost.cpu), goal.to_owned()]
}
