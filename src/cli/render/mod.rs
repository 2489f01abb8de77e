//! `portcullis render`: what installs Portcullis in a cluster, as plain YAML.
//!
//! Nothing is written here that is not in `manifests/`: the base and its components are embedded, put together as kustomize
//! does, and given names.

mod embedded;
mod kustomization;
mod names;
mod patch;
mod yaml;

use std::io::Write;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, ValueEnum};
use serde_json::{Value, json};

use self::names::{Names, RELEASE};
use super::inputs::{self, ModeArgument};

/// Print what installs Portcullis in a cluster, as plain YAML.
///
/// The same as the kustomize overlays and the Helm chart in manifests/, from this program alone. The webhook configurations
/// and the certificates are not in it: Portcullis keeps these itself.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Arguments {
    /// Whether anything is ever denied.
    #[arg(long, value_enum, default_value_t = ModeArgument::Enforce)]
    mode: ModeArgument,
    /// Five replicas, spread over nodes and zones without exception.
    #[arg(long)]
    high_availability: bool,
    /// The namespace, which is made for it and is to hold nothing else.
    #[arg(long, value_name = "NAME", default_value = "portcullis-system", value_parser = names::namespace)]
    namespace: String,
    /// What everything is called; two releases in one cluster need two names.
    #[arg(long, value_name = "NAME", default_value = RELEASE, value_parser = names::release)]
    release: String,
    /// The container image [default: portcullis at this program's version]
    #[arg(long, value_name = "REFERENCE", value_parser = image)]
    image: Option<String>,
    /// How many replicas [default: 3, or 5 with --high-availability]
    #[arg(long, value_name = "N")]
    replicas: Option<NonZeroU16>,
    /// Where the serving certificate comes from.
    #[arg(long, value_enum, default_value_t = CertificatesArgument::Kept)]
    certificates: CertificatesArgument,
    /// The Secret of --certificates given: tls.crt, tls.key and ca.crt [default: RELEASE-tls]
    #[arg(long, value_name = "NAME", value_parser = names::secret)]
    certificate_secret: Option<String>,
    /// How Prometheus is given the alerts.
    #[arg(long, value_enum, default_value_t = AlertsArgument::ConfigMap)]
    alerts: AlertsArgument,
    /// A PodSecurityConfiguration, to be mounted: defaults for what labels leave open, and exemptions.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Further arguments of `portcullis serve`, after `--`.
    #[arg(last = true, value_name = "ARGUMENT")]
    serve: Vec<String>,
}

const AFTER_HELP: &str = "Examples:
  portcullis render --mode audit --image registry.example/portcullis:1.0 | kubectl apply -f -
  portcullis render --certificates cert-manager -- --workloads=deny > portcullis.yaml";

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum CertificatesArgument {
    /// Made and rotated by Portcullis, in a Secret of its own.
    Kept,
    /// Yours, in a Secret that you keep.
    Given,
    /// From cert-manager, which has to be in the cluster.
    CertManager,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum AlertsArgument {
    /// A file of rules in a ConfigMap: for any cluster.
    ConfigMap,
    /// The kind of the Prometheus operator, which has to be in the cluster.
    PrometheusRule,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut text = format!("# What installs Portcullis {} in a cluster.\n", env!("CARGO_PKG_VERSION"));
    for object in arguments.objects()? {
        text.push_str(&yaml::document(&object));
    }
    // A reader that stops reading, such as a pager, is no fault.
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(ExitCode::SUCCESS),
    }
}

impl Arguments {
    fn objects(&self) -> Result<Vec<Value>> {
        if self.certificate_secret.is_some() && self.certificates != CertificatesArgument::Given {
            bail!("--certificate-secret names the Secret of --certificates given; give both, or neither");
        }
        let configuration = self.config.as_deref().map(configuration).transpose()?;
        let mut objects = kustomization::assemble(&self.components()).context("the embedded manifests")?;
        let certificate_secret = self.certificate_secret.as_deref();
        let names = Names { release: &self.release, namespace: &self.namespace, certificate_secret };
        if let Some(text) = &configuration {
            set_configuration(&mut objects, text).context("the embedded configuration is not as expected")?;
        }
        for object in &mut objects {
            names.apply(object);
            if object.get("kind").and_then(Value::as_str) == Some("Deployment") {
                self.set_up(object).context("the embedded Deployment is not as expected")?;
            }
        }
        accepted_by_serve(&objects)?;
        Ok(objects)
    }

    /// In the order in which they are applied, which is that of the arguments they add.
    fn components(&self) -> Vec<&'static str> {
        let certificates = match self.certificates {
            CertificatesArgument::Kept => None,
            CertificatesArgument::Given => Some("given-certificate"),
            CertificatesArgument::CertManager => Some("cert-manager"),
        };
        let audit = (self.mode == ModeArgument::Audit).then_some("audit");
        let high_availability = self.high_availability.then_some("high-availability");
        let alerts = (self.alerts == AlertsArgument::PrometheusRule).then_some("prometheus-rule");
        let configuration = self.config.is_some().then_some("configuration");
        [audit, high_availability, certificates, configuration, alerts].into_iter().flatten().collect()
    }

    /// What only the Deployment has: how many, of what, and with which further arguments.
    fn set_up(&self, deployment: &mut Value) -> Option<()> {
        if let Some(replicas) = self.replicas {
            *deployment.pointer_mut("/spec/replicas")? = json!(replicas);
        }
        let container = deployment.pointer_mut("/spec/template/spec/containers/0")?;
        if let Some(image) = &self.image {
            *container.get_mut("image")? = json!(image);
        }
        let arguments = container.get_mut("args")?.as_array_mut()?;
        if self.release != RELEASE {
            arguments.push(json!(format!("--release={}", self.release)));
        }
        arguments.extend(self.serve.iter().map(|argument| json!(argument)));
        Some(())
    }
}

/// The text of a PodSecurityConfiguration that `serve` would accept.
fn configuration(path: &Path) -> Result<String> {
    inputs::configuration(path)?;
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// Puts a configuration in the place of the one that is there, and has the pods replaced when it changes.
fn set_configuration(objects: &mut [Value], text: &str) -> Option<()> {
    let place = objects.iter_mut().find_map(|object| object.pointer_mut("/data/configuration.yaml"))?;
    *place = json!(text);
    let pods = objects.iter_mut().find_map(|object| object.pointer_mut("/spec/template/metadata/annotations"))?;
    pods.as_object_mut()?.insert("portcullis.dev/configuration".to_owned(), json!(adler32(text).to_string()));
    Some(())
}

/// The checksum that Helm has, too (RFC 1950, 8.2): enough to see that a text was edited.
fn adler32(text: &str) -> u32 {
    let (low, high) = text.bytes().fold((1, 0), |(low, high), byte| {
        let low = (low + u32::from(byte)) % 65_521;
        (low, (high + low) % 65_521)
    });
    high << 16 | low
}

/// The arguments of `serve`, to be read before a pod fails to start with them.
#[derive(Debug, Parser)]
#[command(name = "portcullis serve", disable_help_flag = true)]
struct Serve {
    #[command(flatten)]
    _arguments: super::serve::Arguments,
}

fn accepted_by_serve(objects: &[Value]) -> Result<()> {
    let arguments = objects.iter().find_map(|object| object.pointer("/spec/template/spec/containers/0/args"));
    // The first is the command, where the program's name stands elsewhere.
    let arguments = arguments.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    Serve::try_parse_from(arguments).context("`portcullis serve` would not start with its arguments")?;
    Ok(())
}

/// Reads a reference of an image as far as mistakes would show late.
fn image(text: &str) -> Result<String, String> {
    if text.is_empty()
        || text.starts_with('-')
        || text.chars().any(|character| character.is_whitespace() || character.is_control())
    {
        return Err("write a reference such as registry.example/portcullis:1.0".to_owned());
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
