//! What the system says of this process; nothing where it is not Linux.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// The processor time that all threads of this process have used so far, in the program and in the kernel for it.
pub(crate) fn cpu_time() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name of the program is in parentheses, and may have spaces and parentheses in it.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let mut next = || times.next()?.parse::<u64>().ok();
    // A tick is 10 ms for every program on Linux, whatever the kernel's own clock does.
    Some(Duration::from_millis((next()? + next()?) * 10))
}

/// The memory of this process that is resident, in KiB.
pub(crate) fn resident_kib() -> Option<u32> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How much of all processors' time is used meanwhile, in per cent, by whatever runs on this machine.
pub(crate) async fn machine_load(meanwhile: Duration) -> Option<u64> {
    let (busy_before, all_before) = machine_time()?;
    tokio::time::sleep(meanwhile).await;
    let (busy, all) = machine_time()?;
    // Not all of these counters never fall.
    Some(busy.saturating_sub(busy_before) * 100 / all.saturating_sub(all_before).max(1))
}

/// The time since the start of the system, in ticks: that spent with something, and all.
fn machine_time() -> Option<(u64, u64)> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let times: Vec<u64> = stat
        .lines()
        .next()?
        .split_whitespace()
        .filter_map(|time| time.parse().ok())
        .collect();
    // What is behind these eight is counted among them already.
    let all = times.iter().take(8).sum();
    let idle: u64 = times.get(3..5)?.iter().sum();
    Some((all - idle, all))
}

/// Whether what is written to this folder never reaches a disk.
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
