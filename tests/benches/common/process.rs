//! Data of the system about processes of this machine; `None` outside Linux.

use std::fmt::Display;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Returns the processor time that all threads of this process have used so far, in user and kernel mode.
pub(crate) fn cpu_time() -> Option<Duration> {
    Some(Stat::of("self")?.own)
}

/// Returns the processor time that a process and its children have used so far. Children that have ended are included.
pub(crate) fn family_time(parent: u32) -> Option<Duration> {
    let stat = Stat::of(parent)?;
    let mut sum = stat.own + stat.ended_children;
    for process in fs::read_dir("/proc").ok()?.flatten() {
        // A process may end meanwhile.
        let child = process.file_name().to_str().and_then(Stat::of);
        sum += child
            .filter(|child| child.parent == parent)
            .map_or(Duration::ZERO, |child| child.own);
    }
    Some(sum)
}

/// Returns the parent of a process with this name; `None` if the process has another name, or is not on this machine.
pub(crate) fn parent_of(pid: u32, name: &str) -> Option<u32> {
    let stat = Stat::of(pid)?;
    (stat.name == name).then_some(stat.parent)
}

/// The data of a process.
struct Stat {
    /// The name of its program.
    name: String,
    /// The process that started it.
    parent: u32,
    /// The processor time of its threads.
    own: Duration,
    /// The processor time of its children that have ended.
    ended_children: Duration,
}

impl Stat {
    fn of(process: impl Display) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program is in parentheses, and may contain spaces and parentheses.
        let (name, fields) = stat.rsplit_once(')')?;
        let (_, name) = name.split_once('(')?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        // A tick is 10 ms for every program on Linux, whatever the kernel's own clock uses.
        let ticks = |field: usize| fields.get(field)?.parse::<u64>().ok();
        let time = |user, kernel| Some(Duration::from_millis((ticks(user)? + ticks(kernel)?) * 10));
        Some(Self {
            name: name.to_owned(),
            parent: fields.get(1)?.parse().ok()?,
            own: time(11, 12)?,
            ended_children: time(13, 14)?,
        })
    }
}

/// Returns the resident memory of this process, in KiB.
pub(crate) fn resident_kib() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Returns the used share of all processor time during this span, in per cent, by any program on this machine.
pub(crate) async fn machine_load(meanwhile: Duration) -> Option<u64> {
    let (busy_before, all_before) = machine_time()?;
    tokio::time::sleep(meanwhile).await;
    let (busy, all) = machine_time()?;
    // Some of these counters may fall.
    Some(busy.saturating_sub(busy_before) * 100 / all.saturating_sub(all_before).max(1))
}

/// Returns the time since the start of the system, in ticks: busy time, and all time.
fn machine_time() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let times: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .filter_map(|time| time.parse().ok())
        .collect();
    // The fields after these eight are already included in them.
    let all = times.iter().take(8).sum();
    let idle: u64 = times.get(3..5)?.iter().sum();
    Some((all - idle, all))
}

/// Returns `true` if files in this folder never reach a disk.
pub(crate) fn is_in_memory(folder: &Path) -> bool {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let mount = mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            Some((fields.next()?, fields.next()?))
        })
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.len());
    mount.is_some_and(|(_, kind)| matches!(kind, "tmpfs" | "ramfs"))
}
