//! The judge as a process: built once from Go, asked in JSON lines.
//!
//! What it says is upstream's word; it is never asked about anything twice in a way that could differ.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use std::{
    ffi::OsStr,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io::{BufRead, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
};

/// A running judge.
pub struct Judge {
    process: Child,
    questions: BufWriter<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Judge {
    /// Builds the judge if it is not built yet, and starts it. `say` is told what takes time.
    pub fn start(say: impl Fn(&str)) -> Result<Self> {
        let mut process = Command::new(built(say)?)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the judge does not start")?;
        let questions = process.stdin.take().context("the judge has no input")?;
        let answers = process.stdout.take().context("the judge has no output")?;
        Ok(Self { process, questions: BufWriter::new(questions), answers: BufReader::new(answers) })
    }

    /// The answers to `questions`, in their order; written and read at the same time, as there are more than pipes hold.
    pub fn ask_all(&mut self, questions: &[Value]) -> Result<Vec<Value>> {
        let (input, output) = (&mut self.questions, &mut self.answers);
        thread::scope(|scope| {
            let writer = scope.spawn(move || -> Result<()> {
                for question in questions {
                    serde_json::to_writer(&mut *input, question)?;
                    input.write_all(b"\n")?;
                }
                Ok(input.flush()?)
            });
            let answers = questions.iter().map(|_| answer(output)).collect::<Result<Vec<_>>>();
            match writer.join() {
                Ok(written) => written.context("the judge takes no more questions").and(answers),
                Err(_) => bail!("the thread that asks the judge panicked"),
            }
        })
    }

    /// The answer to one question.
    pub fn ask(&mut self, question: &Value) -> Result<Value> {
        let mut answers = self.ask_all(std::slice::from_ref(question))?;
        answers.pop().context("the judge gave no answer")
    }
}

impl Drop for Judge {
    fn drop(&mut self) {
        // It ends by itself when its input ends; a run that failed half-way does not wait for that.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn answer(output: &mut BufReader<ChildStdout>) -> Result<Value> {
    let mut line = String::new();
    ensure!(output.read_line(&mut line)? > 0, "the judge ended before it had answered everything");
    serde_json::from_str(&line).with_context(|| format!("the judge answered what is no JSON: {line}"))
}

/// The built judge, kept outside `target/` under a name that says what it was built from: Go, the module, the sources.
fn built(say: impl Fn(&str)) -> Result<PathBuf> {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/oracle/judge");
    let binary = cache()?.join(format!("oracle-{:016x}", fingerprint(&sources)?)).join("judge");
    if binary.exists() {
        return Ok(binary);
    }
    say(&format!("building the judge from k8s.io/pod-security-admission into {}", binary.display()));
    // Built under a name of its own and then renamed, so that two runs at once cannot meet a half-written file.
    let unfinished = binary.with_extension(std::process::id().to_string());
    let built = Command::new("go")
        .args([OsStr::new("build"), OsStr::new("-trimpath"), OsStr::new("-o"), unfinished.as_os_str(), OsStr::new(".")])
        .current_dir(&sources)
        .status()
        .context(GO_IS_MISSING)?;
    ensure!(built.success(), "go build failed in {}; its own message is above", sources.display());
    fs::rename(&unfinished, &binary)?;
    Ok(binary)
}

const GO_IS_MISSING: &str = "the oracle needs Go (go.dev/dl, the version in e2e/oracle/judge/go.mod) to build upstream's own code; \
                             install it, or leave the oracle out with `cargo test --lib --bins`";

fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty()) {
        Some(path) => PathBuf::from(path),
        None => {
            PathBuf::from(std::env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?).join(".cache")
        }
    };
    Ok(base.join("portcullis"))
}

fn fingerprint(sources: &Path) -> Result<u64> {
    let version = Command::new("go").arg("version").output().context(GO_IS_MISSING)?;
    let mut hasher = DefaultHasher::new();
    version.stdout.hash(&mut hasher);
    let mut files: Vec<PathBuf> = fs::read_dir(sources)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    files.sort();
    for file in files {
        file.file_name().hash(&mut hasher);
        fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}
