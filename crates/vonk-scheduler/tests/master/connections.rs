//! Connections: how messages travel, come late, twice or not at all.

use super::*;

impl World {
    pub fn connect(&mut self, client: usize, life: u32) {
        let party = &self.parties[client];
        if !party.alive || party.life != life || party.connection.is_some() {
            return;
        }
        if self.master.is_none() {
            let after = 200 + self.random.below(2_000);
            return self.at(after, What::Connect { client, life });
        }
        let connection = self.connections.len();
        let (up, down) = (self.now, self.now);
        self.connections.push(Connection { client, client_open: true, master_open: true, up, down });
        self.parties[client].connection = Some(connection);
        match &mut self.parties[client].client {
            Client::Worker(_) => self.feed_worker(client, WorkerEvent::Connected),
            Client::Application(_) => self.feed_application(client, ApplicationEvent::Connected),
        }
    }

    pub fn client_notices(&mut self, connection: usize) {
        if !std::mem::replace(&mut self.connections[connection].client_open, false) {
            return;
        }
        let client = self.connections[connection].client;
        if self.parties[client].connection != Some(connection) {
            return;
        }
        self.parties[client].connection = None;
        match &self.parties[client].client {
            Client::Worker(_) => self.feed_worker(client, WorkerEvent::Disconnected),
            Client::Application(_) => self.feed_application(client, ApplicationEvent::Disconnected),
        }
        let (after, life) = (100 + self.random.below(2_000), self.parties[client].life);
        self.at(after, What::Connect { client, life });
        let half_open = self.is_faulty() && self.random.chance(30);
        let after = if half_open { self.random.below(10_000) } else { self.delay() };
        self.at(after, What::MasterNotices(connection));
    }

    /// How often a message comes, and whether in order.
    pub fn luck(&mut self, may_be_lost: bool) -> (u32, bool) {
        if self.kind != Kind::Harsh || self.quiet {
            return (1, true);
        }
        match self.random.below(20) {
            0 if may_be_lost => (0, true),
            1 => (2, true),
            2 if may_be_lost => (1, false),
            _ => (1, true),
        }
    }

    pub fn send_up(&mut self, connection: usize, message: Up) {
        let may_be_lost = matches!(message, Up::Worker(FromWorker::Report(_)));
        let (times, in_order) = self.luck(may_be_lost);
        for _ in 0..times {
            let mut at = self.now.after(self.delay());
            if in_order {
                at = at.max(self.connections[connection].up);
                self.connections[connection].up = at;
            }
            self.at_time(at, What::Up(connection, message.clone()));
        }
    }

    pub fn send_down(&mut self, connection: usize, message: Down) {
        let may_be_lost = match &message {
            Down::Worker(_, m) => !matches!(m, ToWorker::Registered | ToWorker::Refused(_)),
            Down::Application(_) => false,
        };
        let (times, in_order) = self.luck(may_be_lost);
        for _ in 0..times {
            let mut at = self.now.after(self.delay());
            if in_order {
                at = at.max(self.connections[connection].down);
                self.connections[connection].down = at;
            }
            self.at_time(at, What::Down(connection, message.clone()));
        }
    }

    pub fn up(&mut self, connection: usize, message: Up) {
        if !self.connections[connection].master_open {
            return;
        }
        let session = SessionId(connection as u64);
        let event = match message {
            Up::Worker(FromWorker::Register(spec, report)) => {
                Event::WorkerRegisters { session, spec, report }
            }
            Up::Worker(FromWorker::Report(report)) => Event::WorkerReports { session, report },
            Up::Worker(FromWorker::Drain) => Event::WorkerDrains { session },
            Up::Worker(FromWorker::Leave) => Event::WorkerLeaves { session },
            Up::Application(FromApplication::Register { nonce, spec, wish }) => {
                self.fresh += 1;
                let fresh = ApplicationId::from(format!("app-{}", self.fresh).as_str());
                Event::ApplicationRegisters { session, fresh, nonce, spec, wish }
            }
            Up::Application(FromApplication::Wish(wish)) => Event::ApplicationWishes { session, wish },
            Up::Application(FromApplication::Ended { succeeded }) => {
                Event::ApplicationEnds { session, succeeded }
            }
        };
        self.feed(event);
    }

    pub fn down(&mut self, connection: usize, message: Down) {
        let Connection { client, client_open, .. } = self.connections[connection];
        if !client_open || !self.parties[client].alive || self.parties[client].connection != Some(connection)
        {
            return;
        }
        match message {
            Down::Worker(seq, message) => self.feed_worker(client, WorkerEvent::Heard { seq, message }),
            Down::Application(message) => self.feed_application(client, ApplicationEvent::Heard(message)),
        }
    }
}
