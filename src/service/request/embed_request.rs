//! Texts, and what they are turned into.

use super::OUTPUTS;
use crate::service::fields::Fields;
use crate::service::json::{List, Value, quote};
use crate::service::{EncodingFormat, Invalid, Texts};
use model::{Output, Outputs};

/// What an embedding action is asked for.
#[derive(Debug)]
pub struct EmbedRequest {
    /// The texts.
    pub texts: Texts,
    /// What each is turned into.
    pub outputs: Outputs,
    /// How vectors are written.
    pub encoding_format: EncodingFormat,
}

impl EmbedRequest {
    /// Takes the other fields of an action, whose texts have been taken.
    pub fn of(texts: Texts, fields: &mut Fields) -> Result<Self, Invalid> {
        Ok(Self {
            texts,
            outputs: outputs(fields)?,
            encoding_format: EncodingFormat::take(fields)?,
        })
    }
}

/// A list of names, none twice.
fn outputs(fields: &mut Fields) -> Result<Outputs, Invalid> {
    let Some(value) = fields.take(OUTPUTS) else {
        return Ok(Outputs::default());
    };
    let found = value.kind();
    let Value::List(List { members, length }) = value else {
        return Err(Invalid::Kind {
            field: OUTPUTS,
            found,
            expected: "a list of dense, sparse and colbert",
        });
    };
    if length == 0 {
        return Err(Invalid::NoOutput);
    }
    let mut outputs: Option<Outputs> = None;
    for (index, member) in members.into_iter().enumerate() {
        let output = output(index, member)?;
        outputs = Some(match outputs {
            Some(outputs) if outputs.has(output) => return Err(Invalid::RepeatedOutput { output }),
            Some(outputs) => outputs.with(output),
            None => [output].into_iter().collect(),
        });
    }
    outputs.ok_or(Invalid::NoOutput)
}

fn output(index: usize, member: Value) -> Result<Output, Invalid> {
    let found = member.kind();
    let given = match member {
        Value::String(name) => match Output::ALL
            .into_iter()
            .find(|output| output.as_str() == name)
        {
            Some(output) => return Ok(output),
            None => quote(&name),
        },
        Value::Null | Value::Boolean | Value::Number(_) | Value::List(_) | Value::Object(_) => {
            found.to_string()
        }
    };
    Err(Invalid::UnknownOutput { index, given })
}
