//! What must hold of every rendered overlay.

use std::collections::BTreeSet;

use anyhow::Context;
use serde::Deserialize;
use serde_json::Value;

/// Images whose root file system stays writable, for the reason that the compose file's check gives.
const WRITABLE: [&str; 1] = ["neo4j"];
/// A worker serves nothing, so nothing can be asked; it ends by itself when it cannot go on.
const WITHOUT_PROBES: &str = "worker";

/// YAML documents as JSON values.
pub(super) fn parse(manifests: &str) -> anyhow::Result<Vec<Value>> {
    serde_yaml_ng::Deserializer::from_str(manifests)
        .map(|document| Value::deserialize(document).context("a rendered manifest is no YAML"))
        .collect()
}

/// Every rule that an object breaks.
pub(super) fn violations(objects: &[Value]) -> Vec<String> {
    let mut violations = Vec::new();
    for workload in workloads(objects) {
        let mut broken = pod_rules(workload);
        broken.extend(container_rules(workload));
        broken.extend(missing_references(workload, objects));
        broken.extend(missing_companions(workload, objects));
        violations.extend(broken.into_iter().map(|rule| format!("{}: {rule}", title(workload))));
    }
    let denies_all = |object: &Value| {
        object["kind"] == "NetworkPolicy"
            && object["spec"]["podSelector"].as_object().is_some_and(serde_json::Map::is_empty)
            && object["spec"]["policyTypes"].as_array().is_some_and(|types| types.len() == 2)
            && object["spec"]["ingress"].is_null()
            && object["spec"]["egress"].is_null()
    };
    if !objects.iter().any(denies_all) {
        violations.push("no network policy denies everything that is not allowed".to_owned());
    }
    violations.extend(objects.iter().filter_map(|object| dangling(object, objects)));
    violations
}

/// The commands of Pulse's containers.
pub(super) fn commands(objects: &[Value]) -> BTreeSet<String> {
    let containers = workloads(objects).into_iter().flat_map(containers);
    let pulse = containers
        .filter(|container| container["image"].as_str().is_some_and(|image| image.contains("pulse")));
    let words = |container: &Value| -> Vec<String> {
        container["args"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str().map(str::to_owned))
            .collect()
    };
    pulse.map(|container| words(container).join(" ")).collect()
}

fn workloads(objects: &[Value]) -> Vec<&Value> {
    objects.iter().filter(|object| !object["spec"]["template"]["spec"].is_null()).collect()
}

fn pod(workload: &Value) -> &Value {
    &workload["spec"]["template"]["spec"]
}

fn containers(workload: &Value) -> impl Iterator<Item = &Value> {
    let lists = [&pod(workload)["initContainers"], &pod(workload)["containers"]];
    lists.into_iter().flat_map(|list| list.as_array().into_iter().flatten())
}

fn title(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!("{} {}", text(&object["kind"]), text(&object["metadata"]["name"]))
}

fn broken(rules: &[(bool, &str)]) -> Vec<String> {
    rules.iter().filter(|(holds, _)| !holds).map(|(_, rule)| (*rule).to_owned()).collect()
}

fn pod_rules(workload: &Value) -> Vec<String> {
    let pod = pod(workload);
    let security = &pod["securityContext"];
    broken(&[
        (security["runAsNonRoot"] == true, "needs runAsNonRoot"),
        (security["runAsUser"].as_u64().is_some_and(|user| user > 0), "needs a numeric runAsUser"),
        (security["seccompProfile"]["type"] == "RuntimeDefault", "needs the seccomp profile RuntimeDefault"),
        (pod["automountServiceAccountToken"] == false, "must not mount a service account's token"),
        (pod["serviceAccountName"].is_string(), "needs a service account of its own"),
    ])
}

fn container_rules(workload: &Value) -> Vec<String> {
    let component =
        workload["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"].as_str();
    let is_server = workload["kind"] != "Job" && component != Some(WITHOUT_PROBES);
    containers(workload)
        .flat_map(|container| {
            let security = &container["securityContext"];
            let image = container["image"].as_str().unwrap_or_default();
            let resources = &container["resources"];
            broken(&[
                (security["allowPrivilegeEscalation"] == false, "must not gain privileges"),
                (
                    security["capabilities"]["drop"] == serde_json::json!(["ALL"]),
                    "needs all capabilities dropped",
                ),
                (
                    security["readOnlyRootFilesystem"] == true
                        || WRITABLE.iter().any(|name| image.starts_with(name)),
                    "needs a read-only root file system",
                ),
                (image.contains(':') && !image.ends_with(":latest"), "needs an image with a version"),
                (!resources["requests"]["cpu"].is_null(), "needs a request of cpu"),
                (!resources["requests"]["memory"].is_null(), "needs a request of memory"),
                (!resources["limits"]["memory"].is_null(), "needs a limit of memory"),
                (!is_server || container["readinessProbe"].is_object(), "needs a readiness probe"),
                (!is_server || container["livenessProbe"].is_object(), "needs a liveness probe"),
            ])
        })
        .collect()
}

/// Config maps come with the overlay; secrets may come from elsewhere, but their names are written down once.
fn missing_references(workload: &Value, objects: &[Value]) -> Vec<String> {
    let mut missing = Vec::new();
    let config_maps = containers(workload)
        .flat_map(|container| container["envFrom"].as_array().into_iter().flatten())
        .map(|source| &source["configMapRef"])
        .chain(pod(workload)["volumes"].as_array().into_iter().flatten().map(|volume| &volume["configMap"]));
    for name in config_maps.filter_map(|reference| reference["name"].as_str()) {
        if find(objects, "ConfigMap", name).is_none() {
            missing.push(format!("the config map {name} does not exist"));
        }
    }
    let account = pod(workload)["serviceAccountName"].as_str().unwrap_or_default();
    if find(objects, "ServiceAccount", account).is_none() {
        missing.push(format!("the service account {account} does not exist"));
    }
    missing
}

/// What has to stand beside a workload: a policy that lets it talk, and a budget for what runs more than once.
fn missing_companions(workload: &Value, objects: &[Value]) -> Vec<String> {
    let labels = &workload["spec"]["template"]["metadata"]["labels"];
    let is_covered = |kind: &str, selector: &dyn Fn(&Value) -> Value| {
        let mut candidates = objects.iter().filter(|object| object["kind"] == kind);
        candidates.any(|object| selects(&selector(object), labels))
    };
    broken(&[
        (
            is_covered("NetworkPolicy", &|policy| policy["spec"]["podSelector"].clone()),
            "needs a network policy that names it",
        ),
        (
            workload["kind"] != "Deployment"
                || is_covered("PodDisruptionBudget", &|budget| budget["spec"]["selector"].clone()),
            "needs a disruption budget",
        ),
    ])
}

/// An object that points at nothing: a service, a budget or a policy without pods, a scaler without its target.
fn dangling(object: &Value, objects: &[Value]) -> Option<String> {
    let spec = &object["spec"];
    let selector = match object["kind"].as_str()? {
        "Service" => serde_json::json!({ "matchLabels": spec["selector"] }),
        "PodDisruptionBudget" => spec["selector"].clone(),
        "HorizontalPodAutoscaler" => {
            let target = &spec["scaleTargetRef"];
            let exists = find(objects, target["kind"].as_str()?, target["name"].as_str()?).is_some();
            return (!exists).then(|| format!("{}: its target does not exist", title(object)));
        }
        _ => return None,
    };
    let mut labels =
        workloads(objects).into_iter().map(|workload| &workload["spec"]["template"]["metadata"]["labels"]);
    (!labels.any(|labels| selects(&selector, labels)))
        .then(|| format!("{}: it selects no pod", title(object)))
}

fn find<'a>(objects: &'a [Value], kind: &str, name: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name)
}

/// Whether a selector names these labels; the empty selector names nobody in particular.
fn selects(selector: &Value, labels: &Value) -> bool {
    let pairs = selector["matchLabels"].as_object();
    let expressions = selector["matchExpressions"].as_array();
    if pairs.is_none_or(serde_json::Map::is_empty) && expressions.is_none_or(Vec::is_empty) {
        return false;
    }
    let all_pairs = pairs.into_iter().flatten().all(|(key, value)| labels[key] == *value);
    let all_expressions = expressions.into_iter().flatten().all(|expression| {
        let label = &labels[expression["key"].as_str().unwrap_or_default()];
        expression["operator"] == "In"
            && expression["values"].as_array().is_some_and(|values| values.contains(label))
    });
    all_pairs && all_expressions
}

#[cfg(test)]
mod tests;
