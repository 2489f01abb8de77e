//! Levels, policy versions, and the policy of a namespace's three modes (upstream `api/helpers.go`).

use std::fmt;
use std::str::FromStr;

/// How strict a policy is; ordered from the least to the most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Level {
    #[default]
    Privileged,
    Baseline,
    Restricted,
}

impl Level {
    pub const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    pub fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text that is not a level. Its message is upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be one of privileged, baseline, restricted")]
pub struct UnknownLevel;

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(text: &str) -> Result<Self, UnknownLevel> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or(UnknownLevel)
    }
}

/// A policy version: `latest`, or a minor version of Kubernetes 1, which may be newer than any that we know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Version {
    #[default]
    Latest,
    Minor(u64),
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Minor(minor) => write!(f, "v1.{minor}"),
        }
    }
}

/// A text that is not a version. Its message is upstream's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be \"latest\" or \"v1.x\"")]
pub struct UnknownVersion;

impl FromStr for Version {
    type Err = UnknownVersion;

    /// `latest`, or `v1.` and a decimal number without leading zeros that fits Go's 64-bit `int`.
    fn from_str(text: &str) -> Result<Self, UnknownVersion> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let digits = text.strip_prefix("v1.").ok_or(UnknownVersion)?;
        let is_canonical = digits == "0" || !digits.starts_with('0');
        if !is_canonical || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(UnknownVersion);
        }
        match digits.parse::<i64>() {
            Ok(minor) => Ok(Self::Minor(minor.unsigned_abs())),
            Err(_) => Err(UnknownVersion),
        }
    }
}

/// A level at a version, such as `restricted:v1.30`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct LevelVersion {
    pub level: Level,
    pub version: Version,
}

impl LevelVersion {
    pub const PRIVILEGED: Self = Self { level: Level::Privileged, version: Version::Latest };
    pub const RESTRICTED: Self = Self { level: Level::Restricted, version: Version::Latest };

    /// Whether the two forbid the same: equal, or both privileged at whatever version.
    pub fn is_equivalent(self, other: Self) -> bool {
        self == other || (self.level == Level::Privileged && other.level == Level::Privileged)
    }
}

impl fmt::Display for LevelVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.level, self.version)
    }
}

/// What a namespace asks of its pods in each mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    pub enforce: LevelVersion,
    pub audit: LevelVersion,
    pub warn: LevelVersion,
}

impl Policy {
    /// The same in all modes.
    pub fn uniform(all: LevelVersion) -> Self {
        Self { enforce: all, audit: all, warn: all }
    }

    pub fn is_fully_privileged(&self) -> bool {
        [self.enforce, self.audit, self.warn].iter().all(|mode| mode.level == Level::Privileged)
    }

    pub fn is_equivalent(&self, other: &Self) -> bool {
        self.enforce.is_equivalent(other.enforce)
            && self.audit.is_equivalent(other.audit)
            && self.warn.is_equivalent(other.warn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_upstreams_expression() {
        for text in ["latest", "v1.0", "v1.37", "v1.10000", "v1.9223372036854775807"] {
            assert_eq!(text.parse::<Version>().map(|version| version.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "v1", "1.22", "v1.", "v1.01", "v1.+1", "v1.-1", "v2.0", "V1.2", "Latest", "v1.9223372036854775808"]
        {
            assert_eq!(text.parse::<Version>(), Err(UnknownVersion), "{text}");
        }
    }

    #[test]
    fn levels_are_case_sensitive_and_ordered() {
        assert_eq!("restricted".parse(), Ok(Level::Restricted));
        assert_eq!("Restricted".parse::<Level>(), Err(UnknownLevel));
        assert!(Level::Privileged < Level::Baseline && Level::Baseline < Level::Restricted);
    }
}
