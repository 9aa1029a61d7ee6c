//! Makes Rust of the .proto files: the messages and the stub by tonic's plugin, and from their
//! annotations the list of tables that `src/rows.rs` makes its types of.

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

use prost::Message as _;

const PACKAGE: &str = "intercom.extractor.v1";

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let descriptors = out.join("descriptors.bin");
    let mut config = prost_build::Config::new();
    config.file_descriptor_set_path(&descriptors);
    let files = ["annotations", "extractor_service", "tables"]
        .map(|name| format!("proto/intercom/extractor/v1/{name}.proto"));
    let set = config.load_fds(&files, &["proto"])?;

    let annotated = Set::decode(&*fs::read(&descriptors)?)?;
    let messages: Vec<Message> = annotated
        .file
        .into_iter()
        .flat_map(|file| file.message_type)
        .collect();
    for row in messages.iter().filter(|message| message.is_row()) {
        for column in &row.field {
            config.field_attribute(
                format!("{PACKAGE}.{}.{}", row.name, column.name),
                format!("#[doc = {:?}]", column.doc()),
            );
        }
    }
    fs::write(out.join("tables.rs"), tables(&messages)?)?;

    tonic_prost_build::configure()
        // For the tests: a server in memory.
        .server_mod_attribute(".", "#[cfg(test)]")
        .compile_fds_with_config(set, config)?;
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=proto/intercom/extractor/v1");
    Ok(())
}

/// An invocation of `tables!`.
fn tables(messages: &[Message]) -> Result<String, Box<dyn Error>> {
    let batch = messages
        .iter()
        .find(|message| message.name == "RowBatch")
        .ok_or("no RowBatch")?;
    let mut text = String::from("tables! {\n");
    for field in &batch.field {
        let name = field.type_name.rsplit('.').next().unwrap_or_default();
        let Some(row) = messages
            .iter()
            .find(|message| message.name == name && message.is_row())
        else {
            continue;
        };
        writeln!(
            text,
            "{} {} {} {} {:?} [",
            camel_case(&field.name),
            row.name,
            field.name,
            field.number,
            field.name
        )?;
        for column in &row.field {
            writeln!(text, "    r#{} {:?}", column.name, column.name)?;
        }
        text.push_str("]\n");
    }
    text.push_str("}\n");
    Ok(text)
}

fn camel_case(name: &str) -> String {
    let capitalized = |word: &str| word[..1].to_uppercase() + &word[1..];
    name.split('_').map(capitalized).collect()
}

// What of descriptors is needed here, with the options that prost's own types leave out.

#[derive(prost::Message)]
struct Set {
    #[prost(message, repeated, tag = "1")]
    file: Vec<File>,
}

#[derive(prost::Message)]
struct File {
    #[prost(message, repeated, tag = "4")]
    message_type: Vec<Message>,
}

#[derive(prost::Message)]
struct Message {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, repeated, tag = "2")]
    field: Vec<Field>,
    #[prost(message, tag = "7")]
    options: Option<MessageOptions>,
}

#[derive(prost::Message)]
struct MessageOptions {
    #[prost(message, tag = "50200")]
    table: Option<Table>,
}

#[derive(prost::Message)]
struct Table {}

#[derive(prost::Message)]
struct Field {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int32, tag = "3")]
    number: i32,
    #[prost(string, tag = "6")]
    type_name: String,
    #[prost(message, tag = "8")]
    options: Option<FieldOptions>,
}

#[derive(prost::Message)]
struct FieldOptions {
    #[prost(message, tag = "50200")]
    column: Option<Column>,
}

#[derive(prost::Message)]
struct Column {
    #[prost(string, tag = "7")]
    description: String,
}

impl Message {
    fn is_row(&self) -> bool {
        self.options
            .as_ref()
            .is_some_and(|options| options.table.is_some())
    }
}

impl Field {
    /// After its comment, if it has one.
    fn doc(&self) -> String {
        let column = self
            .options
            .as_ref()
            .and_then(|options| options.column.as_ref());
        let described = column.map_or("", |column| column.description.as_str());
        if described.is_empty() {
            return format!("\n The column `{}`.", self.name);
        }
        format!("\n {}.", described.trim_end_matches('.'))
    }
}
