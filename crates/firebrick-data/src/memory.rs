//! How much memory a data set may take.

use std::fs;

/// The share of the memory that is free when a data set is opened.
const SHARE: u64 = 2;
/// Where nobody says how much is free.
const WHEN_UNKNOWN_BYTES: u64 = 2 << 30;

/// Half of the memory that the system has free at the moment, in bytes; 2 GiB where it does not say. Of a container's limit, half of
/// what is left.
pub(crate) fn memory_budget() -> u64 {
    let free = [of_the_machine(), of_the_container()].into_iter().flatten().min();
    free.map_or(WHEN_UNKNOWN_BYTES, |free| free / SHARE)
}

fn of_the_machine() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

fn of_the_container() -> Option<u64> {
    let number = |name: &str| {
        let text = fs::read_to_string(format!("/sys/fs/cgroup/memory.{name}")).ok()?;
        text.trim().parse::<u64>().ok()
    };
    Some(number("max")?.saturating_sub(number("current")?))
}

#[cfg(test)]
mod tests {
    #[test]
    fn there_is_some() {
        assert!(super::memory_budget() > 0);
    }
}
