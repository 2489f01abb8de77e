//! The controllers: what makes pods of workloads, gives namespaces their service account, and collects what is left over.

use super::{api::Api, process::Process, programs, state::State};
use anyhow::Result;
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const START: Duration = Duration::from_secs(60);

/// Those that make pods and keep namespaces. Nodes, volumes and certificates have no part in a plane without kubelets.
const CONTROLLERS: &str = "serviceaccount-controller,root-ca-certificate-publisher-controller,namespace-controller,\
    garbage-collector-controller,deployment-controller,replicaset-controller,statefulset-controller,\
    daemonset-controller,job-controller,cronjob-controller,replicationcontroller-controller,resourcequota-controller,\
    disruption-controller,clusterrole-aggregation-controller,endpointslice-controller";

/// What the controllers need to know.
pub struct Needs {
    pub kubeconfig: PathBuf,
    pub token_key: PathBuf,
    pub authority: PathBuf,
}

/// Starts the controller manager, and waits until `api` shows its first deed: without the `default` service account of
/// the namespace `default`, no pod could be made there.
pub fn start(state: &State, needs: &Needs, api: &mut Api) -> Result<Process> {
    let path = |flag: &str, path: &Path| format!("--{flag}={}", path.display());
    let mut command = Command::new(programs::path("kube-controller-manager")?);
    command
        .arg(path("kubeconfig", &needs.kubeconfig))
        .arg(path("service-account-private-key-file", &needs.token_key))
        .arg(path("root-ca-file", &needs.authority))
        .arg(format!("--controllers={CONTROLLERS}"))
        // As in production, each controller is a user of its own; webhooks and policies see which.
        .args(["--use-service-account-credentials=true", "--leader-elect=false", "--secure-port=0"])
        .args(["--kube-api-qps=500", "--kube-api-burst=1000"]);
    let process = Process::start("kube-controller-manager", &state.path("kube-controller-manager.log"), command)?;
    let account = "/api/v1/namespaces/default/serviceaccounts/default";
    process.ready(START, || api.get(account).is_ok_and(|answer| answer.status == 200))
}
