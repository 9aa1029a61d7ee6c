//! The acceptance suite's driver: tests/clients/README.md says what it must do.

mod csv;
mod reader;
mod scenario;

use std::error::Error;
use std::io::Read as _;
use std::time::Duration;

use intercom_extractor::v1::{ExtractResponse, ListTablesResponse, FILE_DESCRIPTOR_SET};
use intercom_extractor::{Client, Tls};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

use reader::Reader;
use scenario::{Outcome, Scenario};

type Any = Box<dyn Error>;

#[tokio::main]
async fn main() -> Result<(), Any> {
    let path = std::env::args().nth(1).ok_or("which scenario?")?;
    let scenario: Scenario = serde_json::from_slice(&std::fs::read(path)?)?;
    if scenario.action == "decode" {
        decode(&scenario)?;
        return Outcome::default().write(&scenario.result);
    }
    let client = connect(&scenario)?;
    if scenario.action == "extract" {
        extract(&client, scenario).await
    } else {
        ask(&client, &scenario).await?.write(&scenario.result)
    }
}

fn connect(scenario: &Scenario) -> Result<Client, Any> {
    let mut builder = Client::builder(&scenario.target);
    if let Some(name) = &scenario.connection {
        builder = builder.connection(name);
    }
    if let Some(token) = &scenario.token {
        builder = builder.token(token);
    }
    if let Some(files) = &scenario.tls {
        let mut tls = Tls::from_ca_file(&files.ca)?;
        if let (Some(certificate), Some(key)) = (&files.cert, &files.key) {
            tls = tls.with_identity_files(certificate, key)?;
        }
        builder = builder.tls(tls);
    }
    Ok(builder.build()?)
}

/// What one answer ends.
async fn ask(client: &Client, scenario: &Scenario) -> Result<Outcome, Any> {
    let response = match scenario.action.as_str() {
        "tables" => {
            let tables = client.tables(scenario.request.template()?).await;
            tables.map(|tables| as_json("ListTablesResponse", &ListTablesResponse { tables }))
        }
        "check" => client
            .check()
            .await
            .map(|said| as_json("CheckConnectionResponse", &said)),
        "plan" => {
            let plan = client.plan(scenario.request.for_client()?).await;
            plan.map(|said| as_json("PlanExtractionResponse", &said))
        }
        action => return Err(format!("no such action: {action}").into()),
    };
    let mut outcome = Outcome::default();
    match response {
        Ok(response) => outcome.response = Some(response?),
        Err(error) => outcome.set_error(error)?,
    }
    Ok(outcome)
}

async fn extract(client: &Client, scenario: Scenario) -> Result<(), Any> {
    let mut extraction = client.extract(scenario.request.for_client()?);
    if let Some(seconds) = scenario.deadline_seconds {
        extraction = extraction.timeout(Duration::from_secs_f64(seconds));
    }
    if scenario.delivery == "at_least_once" {
        extraction = extraction.at_least_once();
    }
    let path = scenario.result.clone();
    // The extraction ends with the reader, and is cancelled there; the connection with the client.
    let (outcome, stopped) = Reader::new(scenario).read(extraction).await?;
    outcome.write(&path)?;
    if let Some(rows) = stopped {
        reader::say("stopped", rows);
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
    }
    Ok(())
}

fn decode(scenario: &Scenario) -> Result<(), Any> {
    for file in &scenario.files {
        if file.message != "ExtractResponse" {
            return Err(format!("no such message: {}", file.message).into());
        }
        let decoded = ExtractResponse::decode(&*std::fs::read(&file.bytes)?)?;
        let json = as_json(&file.message, &decoded)?;
        std::fs::write(&file.json, serde_json::to_vec(&json)?)?;
    }
    Ok(())
}

/// By reflection: prost's own types know no JSON.
fn as_json(name: &str, message: &impl Message) -> Result<Value, Any> {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET)?;
    let kind = pool
        .get_message_by_name(&format!("intercom.extractor.v1.{name}"))
        .ok_or("no such message")?;
    let message = DynamicMessage::decode(kind, &*message.encode_to_vec())?;
    let options = SerializeOptions::new().use_proto_field_name(true);
    Ok(message.serialize_with_options(serde_json::value::Serializer, &options)?)
}
