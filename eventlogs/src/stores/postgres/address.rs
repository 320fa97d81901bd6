//! Addresses: one server or several, as libpq writes them. No error repeats any part of an address, because an address contains
//! a password, and not always in the right place.

use crate::stores::error::open::OpenError;
use crate::stores::postgres::options::TargetSession;
use sqlx::postgres::PgConnectOptions;

/// The parameters that the driver knows. It would log the values of others.
const PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// How to write an address.
const ADDRESS: &str = "write it as postgres://user:password@host:5432/database, and percent-encode special characters of the password: %23 is #, %2F is /, %40 is @";

/// The contents of an address.
pub(super) struct Address {
    /// The connect options, one per server.
    pub(super) servers: Vec<PgConnectOptions>,
    /// Which of the servers are acceptable, if the address says so.
    pub(super) target: Option<TargetSession>,
}

/// Parses an address.
pub(super) fn parse(url: &str) -> Result<Address, OpenError> {
    read(url).map_err(|problem| OpenError::InvalidUrl {
        advice: ADDRESS,
        source: problem.into(),
    })
}

fn read(url: &str) -> Result<Address, String> {
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err("it does not start with postgres://".to_owned());
    }
    if rest.contains('#') {
        return Err("it contains a `#`".to_owned());
    }
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = match place.find('/') {
        Some(slash) => place.split_at(slash),
        None => (place, ""),
    };
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (format!("{user}@"), hosts),
        None => (String::new(), authority),
    };
    let query = Query::read(query)?;
    if user.is_empty() && database.contains('@') || query.has_at {
        return Err("it contains a `/` or a `?` before its `@`".to_owned());
    }
    let servers = query.servers(hosts)?.into_iter().map(|server| {
        let Server { place, parameters } = server;
        let one = format!("{scheme}://{user}{place}{database}?{parameters}");
        // The driver's error has a few fixed words, and no part of the address.
        one.parse()
            .map(|connect| without_brackets(connect, &place))
            .map_err(|error: sqlx::Error| error.to_string())
    });
    Ok(Address {
        servers: servers.collect::<Result<_, _>>()?,
        target: query.target,
    })
}

/// Removes the brackets of an IPv6 address, which the driver would take for a part of it.
fn without_brackets(connect: PgConnectOptions, place: &str) -> PgConnectOptions {
    let address = place
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    match address {
        Some((address, _)) => connect.host(address),
        None => connect,
    }
}

/// The parameters, after the `?`.
#[derive(Default)]
struct Query<'a> {
    /// The parameters that all servers share, for the driver.
    common: Vec<&'a str>,
    /// A list of hosts, with the name of its parameter.
    hosts: Option<(&'a str, &'a str)>,
    /// A list of ports.
    ports: Option<&'a str>,
    /// Which of the servers are acceptable.
    target: Option<TargetSession>,
    /// Whether the name of a parameter contains an `@`: then it is the rest of a password.
    has_at: bool,
}

/// One server of an address, for the driver.
struct Server {
    /// Host and port, before the database.
    place: String,
    /// The parameters, after the `?`.
    parameters: String,
}

impl<'a> Query<'a> {
    fn read(text: &'a str) -> Result<Self, String> {
        let mut query = Self::default();
        for parameter in text.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            query.has_at |= name.contains('@');
            match name {
                "host" | "hostaddr" => query.hosts = Some((name, value)),
                "port" => query.ports = Some(value),
                "target_session_attrs" => query.target = Some(target(value)?),
                _ if PARAMETERS.contains(&name) || name.starts_with("options[") => {
                    query.common.push(parameter);
                }
                // Its name and value may be secret, as those of a misspelt password.
                _ => tracing::warn!("an unknown parameter of the database's URL is ignored"),
            }
        }
        Ok(query)
    }

    /// Returns the servers. Hosts and ports among the parameters take precedence over those before the `?`.
    fn servers(&self, places: &str) -> Result<Vec<Server>, String> {
        let places: Vec<_> = split(places);
        let hosts = self.hosts.map(|(name, hosts)| (name, split(hosts)));
        let ports: Vec<&str> = self.ports.map(split).unwrap_or_default();
        let count = hosts
            .as_ref()
            .map_or(places.len(), |(_, hosts)| hosts.len());
        if hosts.is_some() && places.len() > 1 && places.len() != count {
            return Err("it names servers both before and after the `?`".to_owned());
        }
        if ports.len() > 1 && ports.len() != count {
            return Err("its number of ports differs from its number of hosts".to_owned());
        }
        let server = |number| {
            let mut parameters: Vec<String> = self.common.iter().map(ToString::to_string).collect();
            if let Some((name, hosts)) = &hosts {
                let host: &str = hosts.get(number).copied().unwrap_or_default();
                parameters.extend((!host.is_empty()).then(|| format!("{name}={host}")));
            }
            // A single port is the port of all servers.
            let port = ports.get(number).or(ports.first()).copied();
            let port = port.filter(|port| !port.is_empty());
            parameters.extend(port.map(|port| format!("port={port}")));
            // A single place is for all servers: a port for the hosts of a list.
            let place = places.get(number).or(places.first()).copied();
            let place = place.filter(|place| !place.is_empty());
            // The driver requires a host after an `@`, even if a parameter names another one.
            let place = place.unwrap_or(if hosts.is_some() { "localhost" } else { "" });
            Server {
                place: place.to_owned(),
                parameters: parameters.join("&"),
            }
        };
        Ok((0..count).map(server).collect())
    }
}

/// Splits a list, whose commas may be percent-encoded.
fn split(list: &str) -> Vec<&str> {
    list.split(',')
        .flat_map(|part| part.split("%2C"))
        .flat_map(|part| part.split("%2c"))
        .collect()
}

fn target(value: &str) -> Result<TargetSession, String> {
    match value {
        "any" => Ok(TargetSession::Any),
        "read-write" => Ok(TargetSession::ReadWrite),
        "primary" => Ok(TargetSession::Primary),
        _ => Err("its `target_session_attrs` is not `read-write`, `primary` or `any`, and a store writes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(url: &str) -> Vec<(String, u16)> {
        let servers = read(url).unwrap().servers;
        let server =
            |connect: &PgConnectOptions| (connect.get_host().to_owned(), connect.get_port());
        servers.iter().map(server).collect()
    }

    fn expected(servers: &[(&str, u16)]) -> Vec<(String, u16)> {
        servers
            .iter()
            .map(|(host, port)| ((*host).to_owned(), *port))
            .collect()
    }

    #[test]
    fn servers_are_listed_as_libpq_lists_them() {
        for (url, servers) in [
            ("postgres://app:secret@one/db", &[("one", 5432)][..]),
            (
                "postgres://app:secret@one:1,two:2/db",
                &[("one", 1), ("two", 2)],
            ),
            (
                "postgresql://app@one,two:2,three",
                &[("one", 5432), ("two", 2), ("three", 5432)],
            ),
            (
                "postgres://app@[::1]:7,[fe80::1]/db",
                &[("::1", 7), ("fe80::1", 5432)],
            ),
            (
                "postgres://app@/db?host=one,two&port=7",
                &[("one", 7), ("two", 7)],
            ),
            (
                "postgres:///db?host=one%2Ctwo&port=1,2",
                &[("one", 1), ("two", 2)],
            ),
            (
                "postgres://app@one,two/db?port=1,2",
                &[("one", 1), ("two", 2)],
            ),
            (
                "postgres:///db?hostaddr=10.0.0.1,10.0.0.2",
                &[("10.0.0.1", 5432), ("10.0.0.2", 5432)],
            ),
        ] {
            assert_eq!(hosts(url), expected(servers), "{url}");
        }
        let address =
            read("postgres://a:b%23c@h1:1,h2/db?target_session_attrs=read-write&sslmode=disable")
                .unwrap();
        assert_eq!(address.target, Some(TargetSession::ReadWrite));
        for connect in address.servers {
            assert_eq!(
                (connect.get_username(), connect.get_database()),
                ("a", Some("db"))
            );
        }
    }

    #[test]
    fn sockets_are_found() {
        for url in [
            "postgres://app@%2Fvar%2Frun/db",
            "postgres:///db?host=/var/run",
            "postgres:///db?host=%2Fvar%2Frun,two",
        ] {
            let servers = read(url).unwrap().servers;
            assert_eq!(
                servers[0].get_socket().map(|path| path.to_str()),
                Some(Some("/var/run")),
                "{url}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said_without_the_password() {
        for url in [
            "postgres://app:hunter#2@host/db",
            "postgres://app:12#hunter@host/db",
            "postgres://app:12/hunter@host/db",
            "postgres://app:12?hunter@host/db",
            "postgres://app:hunter/2@host/db",
            "postgres://app:hunter?2@host/db",
            "postgres://app:x@one,two/db?port=1,hunter,3",
            "postgres://app:x@one:hunter,two/db",
            "postgres://app:x@one,two:99999/db",
            "postgres://app:x@one/db?target_session_attrs=hunter",
            "postgres://app:x@one/db?target_session_attrs=standby",
            "postgres://app:x@one,two/db?host=hunter",
            "mysql://app:hunter@host/db",
            "hunter",
            "",
        ] {
            let Err(problem) = read(url) else {
                panic!("{url} is taken");
            };
            assert!(!problem.contains("hunter"), "{problem}");
        }
    }
}
