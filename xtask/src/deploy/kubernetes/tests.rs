use super::*;

const GOOD: &str = r"
apiVersion: apps/v1
kind: Deployment
metadata: { name: gateway }
spec:
  template:
    metadata: { labels: { app: gateway } }
    spec:
      automountServiceAccountToken: false
      serviceAccountName: gateway
      securityContext: { runAsNonRoot: true, runAsUser: 10001, seccompProfile: { type: RuntimeDefault } }
      containers:
        - image: pulse:0.1.0
          args: [serve, gateway]
          envFrom: [{ configMapRef: { name: settings } }]
          securityContext:
            { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: [ALL] } }
          resources: { requests: { cpu: 100m, memory: 64Mi }, limits: { memory: 64Mi } }
          readinessProbe: { httpGet: { path: /health/ready, port: http } }
          livenessProbe: { httpGet: { path: /health/live, port: http } }
---
{ kind: ServiceAccount, metadata: { name: gateway } }
---
{ kind: ConfigMap, metadata: { name: settings } }
---
{ kind: Service, metadata: { name: gateway }, spec: { selector: { app: gateway } } }
---
{ kind: PodDisruptionBudget, metadata: { name: gateway }, spec: { selector: { matchLabels: { app: gateway } } } }
---
kind: HorizontalPodAutoscaler
metadata: { name: gateway }
spec: { scaleTargetRef: { kind: Deployment, name: gateway } }
---
{ kind: NetworkPolicy, metadata: { name: nothing }, spec: { podSelector: {}, policyTypes: [Ingress, Egress] } }
---
kind: NetworkPolicy
metadata: { name: gateway }
spec: { podSelector: { matchExpressions: [{ key: app, operator: In, values: [gateway] }] } }
";

#[test]
fn a_confined_and_complete_overlay_breaks_no_rule() {
    let objects = parse(GOOD).unwrap();
    assert_eq!(violations(&objects), Vec::<String>::new());
    assert_eq!(commands(&objects), BTreeSet::from(["serve gateway".to_owned()]));
}

#[test]
fn each_rule_of_pods_and_containers_can_be_broken() {
    let mut objects = parse(GOOD).unwrap();
    let labels = objects[0]["spec"]["template"]["metadata"]["labels"].clone();
    objects[0]["spec"]["template"] = serde_json::json!({
        "metadata": { "labels": labels },
        "spec": { "containers": [{ "image": "pulse:latest" }] },
    });
    let rules = [
        "needs runAsNonRoot",
        "needs a numeric runAsUser",
        "needs the seccomp profile RuntimeDefault",
        "must not mount a service account's token",
        "needs a service account of its own",
        "must not gain privileges",
        "needs all capabilities dropped",
        "needs a read-only root file system",
        "needs an image with a version",
        "needs a request of cpu",
        "needs a request of memory",
        "needs a limit of memory",
        "needs a readiness probe",
        "needs a liveness probe",
        "the service account  does not exist",
    ];
    assert_eq!(violations(&objects), rules.map(|rule| format!("Deployment gateway: {rule}")));
}

#[test]
fn objects_that_stand_alone_are_found() {
    let mut objects = parse(GOOD).unwrap();
    objects[0]["metadata"]["name"] = "renamed".into();
    objects[0]["spec"]["template"]["metadata"]["labels"]["app"] = "renamed".into();
    objects.retain(|object| object["kind"] != "ConfigMap" && object["metadata"]["name"] != "nothing");
    assert_eq!(
        violations(&objects),
        [
            "Deployment renamed: the config map settings does not exist",
            "Deployment renamed: needs a network policy that names it",
            "Deployment renamed: needs a disruption budget",
            "no network policy denies everything that is not allowed",
            "Service gateway: it selects no pod",
            "PodDisruptionBudget gateway: it selects no pod",
            "HorizontalPodAutoscaler gateway: its target does not exist",
        ]
    );
}
