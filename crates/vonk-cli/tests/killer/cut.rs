//! A machine of its own for a worker: a network namespace, whose cable can be pulled.

use std::process::Command;

/// See the module. Dropped, it is gone.
pub struct Machine {
    name: String,
    /// The end of the cable on this side.
    cable: String,
    network: String,
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split_whitespace()).output().map_err(|e| e.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim())),
    }
}

impl Machine {
    /// Makes one; an error says why this machine allows none (no `ip`, not root, no namespaces).
    pub fn make() -> Result<Machine, String> {
        let id = std::process::id() % 10_000;
        let machine = Machine {
            name: format!("vonk-{id}"),
            cable: format!("vk{id}a"),
            network: format!("10.{}.{}", 77 + id / 250, id % 250),
        };
        let Machine { name, cable, network } = &machine;
        let inside = format!("vk{id}b");
        ip(&format!("netns add {name}"))?;
        ip(&format!("link add {cable} type veth peer name {inside}"))?;
        ip(&format!("link set {inside} netns {name}"))?;
        ip(&format!("addr add {network}.1/24 dev {cable}"))?;
        ip(&format!("link set {cable} up"))?;
        ip(&format!("netns exec {name} ip addr add {network}.2/24 dev {inside}"))?;
        ip(&format!("netns exec {name} ip link set {inside} up"))?;
        ip(&format!("netns exec {name} ip link set lo up"))?;
        Ok(machine)
    }

    /// The address of this side.
    pub fn here(&self) -> String {
        format!("{}.1", self.network)
    }

    /// The address of the other side.
    pub fn there(&self) -> String {
        format!("{}.2", self.network)
    }

    /// A command that runs there.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.name, program]);
        command
    }

    /// Pulls the cable, or puts it back.
    pub fn connect(&self, connected: bool) {
        ip(&format!("link set {} {}", self.cable, if connected { "up" } else { "down" })).unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // With it goes the cable's other end.
        let _ = ip(&format!("netns del {}", self.name));
        let _ = ip(&format!("link del {}", self.cable));
    }
}
