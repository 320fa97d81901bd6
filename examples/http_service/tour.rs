//! Sends requests to the service as a client would, and checks the answers.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode, header};
use std::error::Error;
use tower::ServiceExt;

/// A request: method, path, headers, body; and the status that it should get.
struct Sent<'a> {
    method: &'a str,
    path: &'a str,
    headers: &'a [(&'a str, &'a str)],
    body: &'a str,
    status: StatusCode,
}

/// Sends the requests, and prints what comes back.
pub(crate) async fn send_requests(routes: Router) -> Result<(), Box<dyn Error>> {
    let client = Client { routes };
    let (mine, yours) = (
        client.open("Ada", "open 1").await?,
        client.open("Ben", "open 2").await?,
    );
    assert_eq!(
        mine,
        client.open("Ada", "open 1").await?,
        "a retry opens no second account"
    );

    println!("\nMoney comes in, once, however often the request is sent:");
    let deposits = format!("{mine}/deposits");
    for _ in 0..2 {
        let headers = [("idempotency-key", "deposit 1")];
        client
            .post(&deposits, &headers, r#"{"cents":500}"#, StatusCode::OK)
            .await?;
    }

    println!("\nA client that has not seen the newest state is told so:");
    let withdrawals = format!("{mine}/withdrawals");
    let seen = [("if-match", "\"1\"")];
    client
        .post(&withdrawals, &seen, r#"{"cents":200}"#, StatusCode::OK)
        .await?;
    client
        .post(
            &withdrawals,
            &seen,
            r#"{"cents":200}"#,
            StatusCode::PRECONDITION_FAILED,
        )
        .await?;

    println!("\nMoney moves from one account to another, and a refusal says why:");
    let id = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let body = |cents: u32| {
        format!(
            r#"{{"from":"{}","to":"{}","cents":{cents}}}"#,
            id(&mine),
            id(&yours)
        )
    };
    client
        .post(
            "/transfers",
            &[("idempotency-key", "t1")],
            &body(300),
            StatusCode::OK,
        )
        .await?;
    client
        .post(
            "/transfers",
            &[("idempotency-key", "t1")],
            &body(300),
            StatusCode::OK,
        )
        .await?;
    client
        .post(
            "/transfers",
            &[],
            &body(300),
            StatusCode::UNPROCESSABLE_ENTITY,
        )
        .await?;

    println!("\nWhat has happened, and what does not exist:");
    client.get(&yours, StatusCode::OK).await?;
    client
        .get(&format!("{yours}/events"), StatusCode::OK)
        .await?;
    let nobody = "/accounts/01890a5d-ac96-774b-bcce-b302099a8057";
    client.get(nobody, StatusCode::NOT_FOUND).await?;
    client.get("/readyz", StatusCode::OK).await
}

/// A client of the service.
struct Client {
    routes: Router,
}

impl Client {
    /// Opens an account, and returns its path.
    async fn open(&self, owner: &str, key: &str) -> Result<String, Box<dyn Error>> {
        let body = format!(r#"{{"owner":"{owner}"}}"#);
        let headers = [("idempotency-key", key)];
        let opened = Sent {
            method: "POST",
            path: "/accounts",
            headers: &headers,
            body: &body,
            status: StatusCode::CREATED,
        };
        let response = self.send(&opened).await?;
        let location = response.headers().get(header::LOCATION);
        Ok(location
            .ok_or("an account has a place")?
            .to_str()?
            .to_owned())
    }

    async fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
        status: StatusCode,
    ) -> Result<(), Box<dyn Error>> {
        self.send(&Sent {
            method: "POST",
            path,
            headers,
            body,
            status,
        })
        .await?;
        Ok(())
    }

    async fn get(&self, path: &str, status: StatusCode) -> Result<(), Box<dyn Error>> {
        self.send(&Sent {
            method: "GET",
            path,
            headers: &[],
            body: "",
            status,
        })
        .await?;
        Ok(())
    }

    async fn send(&self, sent: &Sent<'_>) -> Result<Response<()>, Box<dyn Error>> {
        let mut request = Request::builder().method(sent.method).uri(sent.path);
        for (name, value) in sent.headers {
            request = request.header(*name, *value);
        }
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(sent.body.to_owned()))?;
        let (parts, body) = self.routes.clone().oneshot(request).await?.into_parts();
        let text = String::from_utf8(to_bytes(body, 1 << 20).await?.to_vec())?;
        println!(
            "   {} {} {}\n      {} {text}",
            sent.method, sent.path, sent.body, parts.status
        );
        if parts.status != sent.status {
            return Err(format!("expected {}", sent.status).into());
        }
        Ok(Response::from_parts(parts, ()))
    }
}
