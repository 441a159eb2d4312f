//! Who runs this process.

use nix::unistd::{User, geteuid};

/// The user's name: `SPARK_USER`, or what the system calls whom the process belongs to (as Spark; not `USER`, which need not be so).
pub fn name() -> String {
    let told = std::env::var("SPARK_USER").ok().filter(|name| !name.is_empty());
    let system = || User::from_uid(geteuid()).ok().flatten().map(|user| user.name);
    // A container may run as a user that its system has no name for.
    told.or_else(system).unwrap_or_else(|| geteuid().to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_is_whom_the_system_names() {
        let said = std::process::Command::new("id").arg("-un").output();
        // Without the program, or without a name, there is nothing to compare with.
        if let Some(said) = said.ok().filter(|o| o.status.success()) {
            assert_eq!(super::name(), String::from_utf8_lossy(&said.stdout).trim());
        }
    }
}
