//! Objects for the fake API server: read from YAML, and completed as a cluster completes them.
//!
//! 1. What the API server adds: uids, default protocols and types, cluster addresses, the
//!    topology labels of a pod's node.
//! 2. What the controllers make: Endpoints and EndpointSlices of services with a selector, and a
//!    slice for each Endpoints object that somebody wrote.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

/// All objects of a file, completed.
pub(crate) fn read(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    complete(serde_saphyr::from_multiple(&text).unwrap())
}

/// Plural, namespace and name of an object.
pub(crate) fn place(object: &Value) -> (String, String, String) {
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    let plural = match kind.as_str() {
        "endpoints" => kind.clone(),
        "ingress" => "ingresses".into(),
        _ => format!("{kind}s"),
    };
    let meta = |name: &str| object["metadata"][name].as_str().unwrap_or_default().to_owned();
    (plural, meta("namespace"), meta("name"))
}

pub(crate) fn labels_of(object: &Value) -> BTreeMap<String, Value> {
    let labels = object["metadata"]["labels"].as_object().cloned();
    labels.unwrap_or_default().into_iter().collect()
}

/// Adds what a cluster adds.
pub(crate) fn complete(mut objects: Vec<Value>) -> Vec<Value> {
    let of = |objects: &[Value], kind: &str| -> Vec<Value> {
        objects.iter().filter(|object| object["kind"] == kind).cloned().collect()
    };
    let nodes = of(&objects, "Node");
    objects.iter_mut().for_each(|object| admit(object, &nodes));
    let (pods, written) = (of(&objects, "Pod"), of(&objects, "Endpoints"));
    for service in
        of(&objects, "Service").iter().filter(|service| service["spec"]["selector"].is_object())
    {
        objects.extend(behind(service, &pods));
    }
    objects.extend(written.iter().map(mirror));
    objects
}

fn admit(object: &mut Value, nodes: &[Value]) {
    let (plural, namespace, name) = place(object);
    object["metadata"]["uid"] = format!("{plural}/{namespace}/{name}").into();
    match object["kind"].as_str().unwrap() {
        "Pod" => {
            let node =
                nodes.iter().find(|node| node["metadata"]["name"] == object["spec"]["nodeName"]);
            for name in ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] {
                if let Some(value) = node.and_then(|node| labels_of(node).remove(name)) {
                    object["metadata"]["labels"][name] = value;
                }
            }
            for kind in ["containers", "initContainers"] {
                let containers = object["spec"][kind].as_array_mut().into_iter().flatten();
                containers.for_each(|container| tcp(container.get_mut("ports")));
            }
        }
        "Service" => {
            let spec = object["spec"].as_object_mut().unwrap();
            spec.entry("type").or_insert("ClusterIP".into());
            if spec["type"] != "ExternalName" {
                spec.entry("clusterIP").or_insert("10.96.0.1".into());
            }
            tcp(spec.get_mut("ports"));
        }
        _ => {}
    }
}

fn tcp(ports: Option<&mut Value>) {
    for port in ports.and_then(Value::as_array_mut).into_iter().flatten() {
        port.as_object_mut().unwrap().entry("protocol").or_insert("TCP".into());
    }
}

/// The Endpoints and the EndpointSlice of a service with a selector.
fn behind(service: &Value, pods: &[Value]) -> [Value; 2] {
    let selector = service["spec"]["selector"].as_object().unwrap();
    let chosen = |pod: &&Value| {
        let labels = labels_of(pod);
        pod["metadata"]["namespace"] == service["metadata"]["namespace"]
            && selector.iter().all(|(name, value)| labels.get(name) == Some(value))
            && pod["status"]["podIP"].is_string()
            && pod["status"]["phase"] == "Running"
    };
    let pods: Vec<&Value> = pods.iter().filter(chosen).collect();
    let ports: Vec<Value> = match pods.first() {
        Some(pod) => {
            let ports = service["spec"]["ports"].as_array().unwrap();
            ports.iter().map(|port| resolved(port, pod)).collect()
        }
        None => Vec::new(),
    };
    [endpoints(service, &pods, &ports), slice(service, &pods, &ports)]
}

/// A port of a service as a port of the pods behind it.
fn resolved(port: &Value, pod: &Value) -> Value {
    let all = ["containers", "initContainers"].map(|kind| pod["spec"][kind].as_array());
    let ports = all.into_iter().flatten().flatten().filter_map(|c| c["ports"].as_array());
    let number = match &port["targetPort"] {
        Value::String(name) => {
            let named = ports.flatten().find(|own| own["name"] == **name).unwrap();
            named["containerPort"].clone()
        }
        number => number.clone(),
    };
    let mut resolved = port.clone();
    resolved["port"] = number;
    resolved.as_object_mut().unwrap().remove("targetPort");
    resolved
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    conditions.into_iter().flatten().any(|one| one["type"] == "Ready" && one["status"] == "True")
}

fn endpoints(service: &Value, pods: &[&Value], ports: &[Value]) -> Value {
    let address = |pod: &&Value| {
        json!({ "ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"],
                "targetRef": reference(pod) })
    };
    let (ready, waiting): (Vec<&&Value>, Vec<&&Value>) = pods.iter().partition(|pod| is_ready(pod));
    let ready: Vec<Value> = ready.into_iter().map(address).collect();
    let waiting: Vec<Value> = waiting.into_iter().map(address).collect();
    let mut metadata = service["metadata"].clone();
    added(&mut metadata, &[("endpoints.kubernetes.io/managed-by", "endpoint-controller")], service);
    json!({ "apiVersion": "v1", "kind": "Endpoints", "metadata": metadata,
            "subsets": [{ "addresses": ready, "notReadyAddresses": waiting, "ports": ports }] })
}

fn slice(service: &Value, pods: &[&Value], ports: &[Value]) -> Value {
    let endpoint = |pod: &&Value| {
        let ready = is_ready(pod);
        let zone = &pod["metadata"]["labels"]["topology.kubernetes.io/zone"];
        json!({ "addresses": [pod["status"]["podIP"]], "nodeName": pod["spec"]["nodeName"], "zone": zone,
                "targetRef": reference(pod),
                "conditions": { "ready": ready, "serving": ready, "terminating": false } })
    };
    let endpoints: Vec<Value> = pods.iter().map(endpoint).collect();
    let mut metadata = service["metadata"].clone();
    let name = service["metadata"]["name"].as_str().unwrap();
    let labels = [
        ("kubernetes.io/service-name", name),
        ("endpointslice.kubernetes.io/managed-by", "endpointslice-controller.k8s.io"),
    ];
    added(&mut metadata, &labels, service);
    metadata["name"] = format!("{name}-made").into();
    json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
            "addressType": "IPv4", "endpoints": endpoints, "ports": ports })
}

/// The slice of Endpoints that somebody wrote.
fn mirror(endpoints: &Value) -> Value {
    let mut metadata = endpoints["metadata"].clone();
    let name = endpoints["metadata"]["name"].as_str().unwrap();
    let labels = [
        ("kubernetes.io/service-name", name),
        ("endpointslice.kubernetes.io/managed-by", "endpointslicemirroring-controller.k8s.io"),
    ];
    added(&mut metadata, &labels, &Value::Null);
    metadata["name"] = format!("{name}-made").into();
    let subset = &endpoints["subsets"][0];
    let endpoint = |address: &Value, ready: bool| {
        let mut one = json!({ "addresses": [address["ip"]], "conditions": { "ready": ready } });
        for field in ["hostname", "nodeName"] {
            if address[field].is_string() {
                one[field] = address[field].clone();
            }
        }
        one
    };
    let of = |field: &str| subset[field].as_array().cloned().unwrap_or_default();
    let (ready, waiting) = (of("addresses"), of("notReadyAddresses"));
    let all = ready.iter().map(|one| endpoint(one, true));
    let all: Vec<Value> = all.chain(waiting.iter().map(|one| endpoint(one, false))).collect();
    json!({ "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": metadata,
            "addressType": "IPv4", "endpoints": all, "ports": subset["ports"] })
}

fn added(metadata: &mut Value, labels: &[(&str, &str)], service: &Value) {
    let own = metadata.as_object_mut().unwrap();
    own.remove("annotations");
    let all = own.entry("labels").or_insert(Map::new().into());
    for (name, value) in labels {
        all[*name] = (*value).into();
    }
    if service["spec"]["clusterIP"] == "None" {
        all["service.kubernetes.io/headless"] = "".into();
    }
}

fn reference(pod: &Value) -> Value {
    let meta = &pod["metadata"];
    json!({ "kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"] })
}
