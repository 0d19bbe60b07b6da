//! The plugin @NAME@: its task type `@NAME@.run` takes a number apart into primes.
mod distributo_abi;
mod glue;

use glue::{Call, Failure};

const NAME: &str = "@NAME@";
const VERSION: &str = "0.1.0";
const TASK_TYPE: &str = "@NAME@.run";
const SUMMARY: &str = "The prime factors of a number";
const LARGEST: u64 = 1_000_000_000_000;
const PAYLOAD_SCHEMA: &str = r#"{"type":"object","properties":{"n":{"type":"integer","minimum":1,"maximum":1000000000000}},"required":["n"],"additionalProperties":false}"#;
const RESULT_SCHEMA: &str = r#"{"type":"object","properties":{"factors":{"type":"array","items":{"type":"integer"}}},"required":["factors"]}"#;

/// Runs one task, on several threads at once. The payload is JSON, so is the result.
fn run(payload: &str, call: &Call) -> Result<String, Failure> {
    let n = parse(payload).ok_or_else(|| {
        Failure::permanent(format!("expected {{\"n\":1..{}}}, got {}", LARGEST, payload))
    })?;
    let factors = factors(n, &|| call.cancelled()).ok_or_else(Failure::cancelled)?;
    call.log(&format!("{} has {} prime factors", n, factors.len()));
    Ok(format!("{{\"factors\":{:?}}}", factors))
}

/// `None` when it was told to stop.
fn factors(mut n: u64, stop: &dyn Fn() -> bool) -> Option<Vec<u64>> {
    let mut found = Vec::new();
    let mut divisor = 2;
    while divisor * divisor <= n {
        if divisor % 1024 == 0 && stop() {
            return None;
        }
        if n % divisor == 0 {
            found.push(divisor);
            n /= divisor;
        } else {
            divisor += 1;
        }
    }
    if n > 1 {
        found.push(n);
    }
    if stop() {
        None
    } else {
        Some(found)
    }
}

/// The number in {"n":…}. For payloads with more in them, take a JSON crate.
fn parse(payload: &str) -> Option<u64> {
    let inside = payload.trim().strip_prefix('{')?.strip_suffix('}')?.trim();
    let value = inside.strip_prefix("\"n\"")?.trim_start().strip_prefix(':')?.trim();
    if !value.bytes().all(|byte| byte.is_ascii_digit()) || (value.len() > 1 && value.starts_with('0')) {
        return None;
    }
    let n: u64 = value.parse().ok()?;
    if (1..=LARGEST).contains(&n) {
        Some(n)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_numbers_apart() {
        assert_eq!(factors(84, &|| false), Some(vec![2, 2, 3, 7]));
        assert_eq!(factors(1, &|| false), Some(vec![]));
        assert_eq!(factors(999_999_999_989, &|| false), Some(vec![999_999_999_989]));
    }

    #[test]
    fn stops_when_told() {
        assert_eq!(factors(999_999_999_989, &|| true), None);
    }

    #[test]
    fn understands_payloads_and_nothing_else() {
        assert_eq!(parse(r#" { "n" : 21 } "#), Some(21));
        for wrong in [r#"{"n":0}"#, r#"{"n":1.5}"#, r#"{"n":"1"}"#, r#"{"n":021}"#, r#"{}"#, r#"{"n":1,"m":2}"#, r#"{"n":1000000000001}"#, ""] {
            assert_eq!(parse(wrong), None, "{}", wrong);
        }
    }
}
