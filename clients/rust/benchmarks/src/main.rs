//! How fast the client hands out rows, beside a bare loop over the stub that touches the same.
//!
//! Prints JSON: per way of reading the median of rows/s and of CPU seconds per million rows, and
//! `ratio`, the median of its rows/s beside those of the bare loop of the same round. A server in a
//! process of its own sends the same batches again and again, so that the client is what is
//! measured.
//!
//! ```text
//! cargo run --release --package benchmarks -- [--rows N] [--rounds N]
//! ```

// Rows and nanoseconds are far from where doubles end.
#![allow(clippy::cast_precision_loss)]

mod server;

use std::error::Error;
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use futures::TryStreamExt as _;
use intercom_extractor::v1::extract_response::Event;
use intercom_extractor::v1::extractor_service_client::ExtractorServiceClient;
use intercom_extractor::v1::ExtractRequest;
use intercom_extractor::{Client, Extraction, Request, Row, Rows};
use rustix::time::{clock_gettime, ClockId};
use serde_json::{json, Map, Value};

type Any = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Any> {
    let (mut rows, mut rounds, mut is_server) = (200_000, 9, false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let mut number = || {
            arguments
                .next()
                .ok_or("a number is missing")?
                .parse::<usize>()
                .map_err(Any::from)
        };
        match argument.as_str() {
            "--rows" => rows = number()?,
            "--rounds" => rounds = number()?,
            // Until stdin is closed.
            "--serve" => is_server = true,
            _ => return Err(format!("no such argument: {argument}").into()),
        }
    }
    if is_server {
        return server::serve(rows).await;
    }
    let mut server = Command::new(std::env::current_exe()?)
        .args(["--serve", "--rows", &rows.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(server.stdout.take().ok_or("no stdout")?).read_line(&mut address)?;
    let measured = measure(address.trim(), rounds).await;
    drop(server.stdin.take());
    server.wait()?;
    println!("{:#}", measured?);
    Ok(())
}

#[derive(Clone, Copy)]
enum Way {
    Bare,
    Rows,
    RowsAtLeastOnce,
    Batches,
}

const WAYS: [(Way, &str); 4] = [
    (Way::Bare, "bare stub"),
    (Way::Rows, "rows"),
    (Way::RowsAtLeastOnce, "rows, at least once"),
    (Way::Batches, "batches"),
];

/// Reads a whole stream and says how many rows it saw.
async fn read(way: Way, address: &str) -> Result<usize, Any> {
    let extract = || Ok::<Extraction, Any>(Client::new(address)?.extract(Request::all()));
    match way {
        Way::Bare => bare(address).await,
        Way::Rows => count(extract()?).await,
        Way::RowsAtLeastOnce => count(extract()?.at_least_once()).await,
        Way::Batches => {
            let (mut batches, mut rows) = (extract()?.batches(), 0);
            while let Some(batch) = batches.try_next().await? {
                if let Rows::Users(users) = batch.rows {
                    rows += users.iter().filter(|user| user.id.is_some()).count();
                }
            }
            Ok(rows)
        }
    }
}

async fn bare(address: &str) -> Result<usize, Any> {
    let mut stub = ExtractorServiceClient::connect(format!("http://{address}")).await?;
    let mut stream = stub.extract(ExtractRequest::default()).await?.into_inner();
    let mut rows = 0;
    while let Some(response) = stream.message().await? {
        if let Some(Event::RowBatch(batch)) = response.event {
            rows += batch.users.iter().filter(|user| user.id.is_some()).count();
        }
    }
    Ok(rows)
}

async fn count(mut extraction: Extraction) -> Result<usize, Any> {
    let mut rows = 0;
    while let Some(row) = extraction.try_next().await? {
        if let Row::User(user) = row {
            rows += usize::from(user.id.is_some());
        }
    }
    Ok(rows)
}

async fn measure(address: &str, rounds: usize) -> Result<Value, Any> {
    // Everybody's first connection.
    bare(address).await?;
    let mut figures: [[Vec<f64>; 3]; WAYS.len()] = Default::default();
    // In turn, so that a busy moment of the machine is everybody's.
    for _ in 0..rounds {
        let mut bare_rate = 0.0;
        for ((way, _), [rates, costs, ratios]) in WAYS.iter().zip(&mut figures) {
            let (start, cpu) = (Instant::now(), cpu_seconds());
            let rows = read(*way, address).await? as f64;
            let rate = rows / start.elapsed().as_secs_f64();
            if matches!(way, Way::Bare) {
                bare_rate = rate;
            }
            rates.push(rate);
            costs.push((cpu_seconds() - cpu) / rows * 1e6);
            ratios.push(rate / bare_rate);
        }
    }
    let mut measured = Map::new();
    for ((_, name), [rates, costs, ratios]) in WAYS.iter().zip(figures) {
        let of_way = json!({
            "rows_per_second": median(rates).round(),
            "cpu_seconds_per_million_rows": (median(costs) * 100.0).round() / 100.0,
            "ratio": (median(ratios) * 1000.0).round() / 1000.0,
        });
        measured.insert((*name).into(), of_way);
    }
    Ok(measured.into())
}

fn cpu_seconds() -> f64 {
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}
