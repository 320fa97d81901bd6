//! Arguments of the command line.

use std::time::Duration;

/// The arguments after `cargo bench … --`.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    /// Limits the run to rows whose name contains this.
    filter: Option<String>,
    /// Fewer and shorter rounds: shows that everything runs, not what it costs.
    pub(crate) quick: bool,
}

/// The duration of the measurements of one comparison.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// The number of rounds per side. Odd, so that the median is one of them.
    pub(crate) rounds: usize,
    /// The length of a round.
    pub(crate) span: Duration,
    /// The length of the first round of each side, which does not count.
    pub(crate) warm_up: Duration,
}

impl Arguments {
    /// Reads the arguments of this process.
    pub(crate) fn read() -> Result<Self, String> {
        let mut arguments = Self::default();
        for argument in std::env::args().skip(1) {
            match argument.as_str() {
                // Cargo passes this to every bench.
                "--bench" => {}
                "--quick" => arguments.quick = true,
                option if option.starts_with('-') => {
                    return Err(format!("unknown option {option}; there is --quick"));
                }
                _ if arguments.filter.is_some() => return Err("more than one filter".to_owned()),
                _ => arguments.filter = Some(argument),
            }
        }
        Ok(arguments)
    }

    /// Returns `true` if the row is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Returns `true` if at least one of these rows is to be measured.
    pub(crate) fn wants_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.wants(name))
    }

    /// Returns the plan for sides that differ by factors.
    pub(crate) const fn throughput(&self) -> Plan {
        if self.quick {
            plan(3, 500, 200)
        } else {
            plan(5, 2_000, 500)
        }
    }

    /// Returns the plan for sides that differ by a few per cent: many short rounds, so that a slow second of the disk affects
    /// both.
    pub(crate) const fn close_race(&self) -> Plan {
        if self.quick {
            plan(7, 200, 200)
        } else {
            plan(15, 400, 500)
        }
    }
}

const fn plan(rounds: usize, span: u64, warm_up: u64) -> Plan {
    Plan {
        rounds,
        span: Duration::from_millis(span),
        warm_up: Duration::from_millis(warm_up),
    }
}
