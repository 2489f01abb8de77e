//! Located findings in somebody's format: text, JSON, SARIF, JUnit, GitHub annotations.
