//! What must hold of every service of the compose file.

use std::collections::BTreeSet;

use serde_json::Value;

/// Services whose root file system stays writable: Neo4j's image writes its settings beside its program at every
/// start, and an empty volume there would hide the settings that it ships with.
const WRITABLE: [&str; 1] = ["neo4j"];
/// A worker serves nothing, so nothing can be asked; it ends by itself when it cannot go on.
const WITHOUT_HEALTH_CHECK: [&str; 1] = ["worker"];

/// Every rule that a service breaks.
pub(super) fn violations(model: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    for (name, service) in services(model) {
        let mut require = |holds: bool, rule: &str| {
            if !holds {
                violations.push(format!("{name}: {rule}"));
            }
        };
        let lists = |field: &str, value: &str| {
            service[field].as_array().is_some_and(|list| list.iter().any(|entry| entry == value))
        };
        require(WRITABLE.contains(&name) || service["read_only"] == true, "needs `read_only: true`");
        require(lists("cap_drop", "ALL"), "needs `cap_drop: [ALL]`");
        require(service["cap_add"].is_null(), "needs no added capability");
        require(lists("security_opt", "no-new-privileges:true"), "needs `no-new-privileges:true`");
        require(has_numeric_user(service), "needs a numeric user other than root");
        let limits = &service["deploy"]["resources"]["limits"];
        require(!limits["memory"].is_null() && !limits["cpus"].is_null(), "needs limits of memory and cpus");
        let may_be_mute = is_one_shot(service) || WITHOUT_HEALTH_CHECK.contains(&name);
        require(may_be_mute || service["healthcheck"]["test"].is_array(), "needs a health check");
        require(is_pinned(service), "needs an image with a version");
        for (needed, how) in service["depends_on"].as_object().into_iter().flatten() {
            let wanted = &model["services"][needed];
            let condition =
                if is_one_shot(wanted) { "service_completed_successfully" } else { "service_healthy" };
            require(how["condition"] == condition, &format!("needs the condition {condition} for {needed}"));
        }
    }
    violations
}

/// The commands of the services that are Pulse itself, and those of their health checks.
pub(super) fn commands(model: &Value) -> BTreeSet<String> {
    let pulse = services(model).filter(|(_, service)| !service["build"].is_null());
    pulse
        .flat_map(|(_, service)| [words(&service["command"], 0), words(&service["healthcheck"]["test"], 2)])
        .filter(|command| !command.is_empty())
        .collect()
}

/// A health check's first words are `CMD` and the program.
fn words(list: &Value, skip: usize) -> String {
    let words: Vec<&str> =
        list.as_array().into_iter().flatten().skip(skip).filter_map(Value::as_str).collect();
    words.join(" ")
}

fn services(model: &Value) -> impl Iterator<Item = (&str, &Value)> {
    model["services"].as_object().into_iter().flatten().map(|(name, service)| (name.as_str(), service))
}

fn is_one_shot(service: &Value) -> bool {
    service["restart"] == "no"
}

fn has_numeric_user(service: &Value) -> bool {
    let user = service["user"].as_str().unwrap_or_default();
    let id = user.split(':').next().and_then(|id| id.parse::<u32>().ok());
    id.is_some_and(|id| id > 0)
}

fn is_pinned(service: &Value) -> bool {
    if !service["build"].is_null() {
        return true;
    }
    let image = service["image"].as_str().unwrap_or_default();
    image.rsplit_once(':').is_some_and(|(_, tag)| tag.contains(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn model() -> Value {
        json!({ "services": {
            "gateway": {
                "build": { "context": "." }, "command": ["serve", "gateway"], "user": "10001:10001",
                "read_only": true, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges:true"],
                "deploy": { "resources": { "limits": { "memory": "1", "cpus": 1 } } },
                "healthcheck": { "test": ["CMD", "pulse", "health"] },
                "depends_on": { "postgres": { "condition": "service_healthy" } },
            },
            "postgres": {
                "image": "postgres:18.1", "user": "999:999", "read_only": true, "cap_drop": ["ALL"],
                "security_opt": ["no-new-privileges:true"],
                "deploy": { "resources": { "limits": { "memory": "1", "cpus": 1 } } },
                "healthcheck": { "test": ["CMD", "pg_isready"] },
            },
        } })
    }

    #[test]
    fn confined_services_break_no_rule_and_only_ours_have_commands() {
        assert_eq!(violations(&model()), Vec::<String>::new());
        assert_eq!(commands(&model()), BTreeSet::from(["serve gateway".to_owned(), "health".to_owned()]));
    }

    #[test]
    fn each_rule_can_be_broken() {
        let mut model = model();
        model["services"]["postgres"] =
            json!({ "image": "postgres:latest", "user": "root", "cap_add": ["CHOWN"] });
        model["services"]["gateway"]["depends_on"]["postgres"]["condition"] = json!("service_started");
        let rules = [
            "gateway: needs the condition service_healthy for postgres",
            "postgres: needs `read_only: true`",
            "postgres: needs `cap_drop: [ALL]`",
            "postgres: needs no added capability",
            "postgres: needs `no-new-privileges:true`",
            "postgres: needs a numeric user other than root",
            "postgres: needs limits of memory and cpus",
            "postgres: needs a health check",
            "postgres: needs an image with a version",
        ];
        assert_eq!(violations(&model), rules);
    }
}
