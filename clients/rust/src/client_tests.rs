use std::sync::Mutex;

use futures::{StreamExt as _, TryStreamExt as _};
use tokio::net::TcpListener;
use tonic::Code;

use super::*;
use crate::testing::server::Server;
use crate::testing::*;

#[tokio::test]
async fn unary_calls_ask_for_what_they_say() {
    let address = Server::default().start().await;
    let client = Client::builder(address)
        .connection("other")
        .build()
        .unwrap();
    let tables = client.tables(v1::Template::Conversations).await.unwrap();
    assert_eq!(tables[0].row_message, "TEMPLATE_CONVERSATIONS");
    assert_eq!(client.check().await.unwrap().api_version, "other");
    let plan = client
        .plan(Request::tables(["tags", "leads"]))
        .await
        .unwrap();
    assert_eq!(plan.workspace.unwrap().id_code, "tags leads");
}

#[tokio::test]
async fn errors_of_unary_calls_are_typed() {
    let retry = Duration::from_millis(1500);
    let unary = Some(failure(
        Code::ResourceExhausted,
        "RATE_LIMITED",
        Some(retry),
    ));
    let address = Server {
        unary,
        ..Server::default()
    }
    .start()
    .await;
    let client = Client::new(address).unwrap();
    let errors = [
        client.tables(v1::Template::All).await.map(drop),
        client.check().await.map(drop),
        client.plan(Request::all()).await.map(drop),
        client.extract(Request::all()).tables().await.map(drop),
    ];
    for error in errors {
        let error = error.unwrap_err();
        assert!(matches!(error, Error::ResourceExhausted(_)), "{error:?}");
        assert_eq!(
            (error.reason(), error.retry_delay()),
            ("RATE_LIMITED", Some(retry))
        );
    }
}

#[tokio::test]
async fn the_caller_token_is_shown() {
    let server = Server {
        events: vec![summary()],
        ..Server::default()
    };
    let tokens = server.tokens.clone();
    let client = Client::builder(server.start().await)
        .token("opensesame")
        .build()
        .unwrap();
    assert!(client.extract(Request::all()).next().await.is_none());
    assert_eq!(*tokens.lock().unwrap(), ["Bearer opensesame"]);
}

#[tokio::test]
async fn a_caller_token_must_be_one_word() {
    for token in ["", "open sesame", "opensesame\n", "öffne"] {
        let error = Client::builder("localhost:1")
            .token(token)
            .build()
            .unwrap_err();
        assert!(matches!(error, Error::Settings(_)));
        assert!(
            !error.to_string().contains("sesame"),
            "it would end in logs"
        );
    }
    let debug = format!("{:?}", Client::builder("localhost:1").token("opensesame"));
    assert!(!debug.contains("sesame"));
}

#[tokio::test]
async fn a_row_may_be_large() {
    let large = "x".repeat(20 << 20);
    let events = vec![tags(&[&large]), checkpoint(1, 1), summary()];
    let address = Server {
        events,
        ..Server::default()
    }
    .start()
    .await;
    let client = Client::new(address).unwrap();
    let rows: Vec<v1::Tag> = client
        .extract(Request::all())
        .rows_of()
        .try_collect()
        .await
        .unwrap();
    assert_eq!(rows[0].id.as_ref(), Some(&large));
}

#[tokio::test]
async fn errors_come_over_the_wire_after_rows() {
    let events = vec![tags(&["a"]), checkpoint(1, 1)];
    let end = Some(failure(Code::Unauthenticated, "TOKEN_INVALID", None));
    let address = Server {
        events,
        end,
        ..Server::default()
    }
    .start()
    .await;
    let client = Client::new(address).unwrap();
    let mut rows = client.extract(Request::all());
    assert!(rows.try_next().await.unwrap().is_some());
    let error = rows.try_next().await.unwrap_err();
    assert!(matches!(error, Error::Unauthenticated(_)), "{error:?}");
    assert_eq!(error.failure().unwrap().metadata["connection"], "default");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let client = Client::new(address).unwrap();
    let mut rows = client.extract(Request::all());
    let error = rows.next().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::Unavailable(_)), "{error:?}");
    assert_eq!(rows.reconnects(), 0, "it was never reached");
}

#[tokio::test]
async fn an_endpoint_can_be_changed() {
    let asked = Arc::new(Mutex::new(String::new()));
    let seen = asked.clone();
    let configured = Client::builder("localhost:1").endpoint(move |endpoint| {
        *seen.lock().unwrap() = endpoint.uri().to_string();
        endpoint
    });
    configured.build().unwrap();
    assert_eq!(*asked.lock().unwrap(), "http://localhost:1/");
}

#[tokio::test]
async fn targets_are_hosts_with_ports() {
    for target in [
        "localhost",
        "http://localhost:1",
        "localhost:1/path",
        "",
        "a b:1",
        "example.com",
    ] {
        let built = Client::new(target);
        assert!(
            matches!(built, Err(Error::Settings(_))),
            "{target}: {built:?}"
        );
    }
    for target in [
        "localhost:1",
        "[::1]:1",
        "unix:/run/socket",
        "example.com:1",
    ] {
        assert!(Client::new(target).is_ok(), "{target}");
    }
}

#[test]
fn a_client_says_that_it_needs_a_runtime() {
    assert!(matches!(
        Client::new("localhost:1"),
        Err(Error::Settings(_))
    ));
}

#[test]
fn only_addresses_of_this_machine_go_without_tls() {
    for target in [
        "localhost:1",
        "127.0.0.1:1",
        "127.8.9.1:1",
        "[::1]:1",
        "unix:/run/socket",
    ] {
        assert!(is_local(target), "{target}");
    }
    for target in [
        "example.com:1",
        "10.0.0.1:1",
        "localhost.example.com:1",
        "127.0.0.1.example.com:1",
        "[fe80::1]:1",
        "0.0.0.0:1",
    ] {
        assert!(!is_local(target), "{target}");
        assert_eq!(
            endpoint(target, Some(Tls::default()))
                .unwrap()
                .uri()
                .scheme_str(),
            Some("https")
        );
    }
}

#[test]
fn files_that_are_missing_or_no_certificates_are_named() {
    let missing = Tls::from_ca_file("no/such/file").unwrap_err();
    assert!(
        missing.to_string().starts_with("no/such/file: "),
        "{missing}"
    );
    let other = Tls::from_ca_file("Cargo.toml").unwrap_err();
    assert_eq!(other.to_string(), "Cargo.toml holds no certificate");
    assert!(Tls::default()
        .with_identity_files("no/such/file", "Cargo.toml")
        .is_err());
}

#[test]
fn clients_are_shared_between_threads() {
    fn is_shared<T: Send + Sync + Clone>() {}
    is_shared::<Client>();
}
