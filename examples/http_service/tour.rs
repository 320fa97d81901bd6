//! Sends requests to the service as a client would, and checks the answers.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use serde_json::{Value, json};
use std::error::Error;
use tower::ServiceExt;
use uuid::Uuid;

/// Sends the requests, and prints what comes back.
pub(crate) async fn send_requests(routes: Router) -> Result<(), Box<dyn Error>> {
    let client = Client {
        routes,
        run: Uuid::now_v7(),
    };
    let mine = client.open("Ada", "open 1").await?;
    let yours = client.open("Ben", "open 2").await?;
    let again = client.open("Ada", "open 1").await?;
    assert_eq!(mine, again, "a retry opens no second account");

    println!("\nMoney comes in, once, however often the request is sent:");
    let deposits = format!("{mine}/deposits");
    let (cents, key) = (json!({"cents": 500}), client.key("deposit 1"));
    for _ in 0..2 {
        client.post(&deposits, &key, &cents, 200).await?;
    }

    println!("\nA client that has not seen the newest state is told so:");
    let withdrawals = format!("{mine}/withdrawals");
    let (cents, seen) = (
        json!({"cents": 200}),
        Header("if-match", "\"1\"".to_owned()),
    );
    client.post(&withdrawals, &seen, &cents, 200).await?;
    client.post(&withdrawals, &seen, &cents, 412).await?;

    println!("\nMoney moves from one account to another, and a refusal says why:");
    let id = |path: &str| path.rsplit('/').next().map(str::to_owned);
    let transfer = json!({"from": id(&mine), "to": id(&yours), "cents": 300});
    let key = client.key("transfer 1");
    client.post("/transfers", &key, &transfer, 200).await?;
    client.post("/transfers", &key, &transfer, 200).await?;
    let key = client.key("transfer 2");
    client.post("/transfers", &key, &transfer, 422).await?;

    println!("\nWhat has happened, and what does not exist:");
    client.get(&yours, 200).await?;
    client.get(&format!("{yours}/events"), 200).await?;
    client
        .get("/accounts/01890a5d-ac96-774b-bcce-b302099a8057", 404)
        .await?;
    client.get("/readyz", 200).await
}

/// A header of a request.
struct Header(&'static str, String);

/// A client of the service.
struct Client {
    routes: Router,
    /// Makes the keys of one run different from those of the next.
    run: Uuid,
}

impl Client {
    fn key(&self, request: &str) -> Header {
        Header("idempotency-key", format!("{request} of {}", self.run))
    }

    /// Opens an account, and returns its path.
    async fn open(&self, owner: &str, request: &str) -> Result<String, Box<dyn Error>> {
        let (key, body) = (self.key(request), json!({"owner": owner}));
        let location = self.post("/accounts", &key, &body, 201).await?;
        Ok(location.ok_or("an account has a place")?)
    }

    /// Sends a request, and returns the place of what it has created.
    async fn post(
        &self,
        path: &str,
        Header(name, value): &Header,
        body: &Value,
        status: u16,
    ) -> Result<Option<String>, Box<dyn Error>> {
        let request = Request::post(path).header(*name, value);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        println!("   POST {path} {body}");
        self.send(request.body(body.to_string().into())?, status)
            .await
    }

    async fn get(&self, path: &str, status: u16) -> Result<(), Box<dyn Error>> {
        println!("   GET {path}");
        let request = Request::get(path).body(Body::empty())?;
        self.send(request, status).await.map(|_| ())
    }

    async fn send(
        &self,
        request: Request<Body>,
        status: u16,
    ) -> Result<Option<String>, Box<dyn Error>> {
        let (parts, body) = self.routes.clone().oneshot(request).await?.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await?.to_vec())?;
        println!("      {} {text}", parts.status);
        if parts.status.as_u16() != status {
            return Err(format!("expected {status}").into());
        }
        let location = parts.headers.get(header::LOCATION);
        Ok(location
            .map(|path| path.to_str().map(str::to_owned))
            .transpose()?)
    }
}
