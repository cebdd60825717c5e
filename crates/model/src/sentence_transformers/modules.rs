//! `modules.json`: what happens to a text, one module after the other.
//!
//! Only a transformer, a pooling and the normalization of its vectors are known; any other module is refused by its name.

use std::path::Path;

use serde::Deserialize;

use super::refuse;
use crate::error::Error;
use crate::json::read_json;

/// Name of the file.
pub const FILE: &str = "modules.json";
/// Where modules are described in their own folders.
pub const MODULE_FILE: &str = "config.json";

/// Package of the modules that come with the library. Others are code of the checkpoint's own.
const PACKAGE: &str = "sentence_transformers.";
/// What a Normalize module normalizes unless it says something else.
const TEXT_VECTORS: &str = "sentence_embedding";

/// The modules of a model.
pub struct Modules {
    /// Folder of the pooling, relative to the model's directory.
    pub pooling: String,
    /// Whether its vectors are normalized.
    pub normalizes: bool,
}

#[derive(Deserialize)]
struct Module {
    path: String,
    r#type: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Normalize {
    module_input_name: Option<String>,
    module_output_name: Option<String>,
}

/// Reads the modules of the model in `directory`.
pub fn read(directory: &Path) -> Result<Modules, Error> {
    let unsupported = |why: String| refuse(directory, format!("{FILE} {why}"));
    let modules: Vec<Module> = read_json(&directory.join(FILE))?;
    let mut pooling = None;
    let mut normalizes = false;
    for module in modules {
        match module.class() {
            Some("Transformer") if module.path.is_empty() => {}
            Some("Transformer") => {
                return Err(unsupported(format!(
                    "has its Transformer module in {:?}; only one in the directory itself is supported",
                    module.path
                )));
            }
            Some("Pooling") => pooling = Some(module.path),
            Some("Normalize") if is_of_texts(directory, &module.path)? => normalizes = true,
            Some("Normalize") => {
                return Err(unsupported(format!(
                    "has a Normalize module of other vectors than {TEXT_VECTORS}, which is not supported"
                )));
            }
            _ => {
                return Err(unsupported(format!(
                    "has a {} module, which is not supported",
                    module.r#type
                )));
            }
        }
    }
    Ok(Modules {
        pooling: pooling.ok_or_else(|| unsupported("has no Pooling module".to_owned()))?,
        normalizes,
    })
}

impl Module {
    /// Name of the library's class, whatever release's path precedes it; `None` for a class of the checkpoint's own.
    fn class(&self) -> Option<&str> {
        self.r#type.strip_prefix(PACKAGE)?.rsplit('.').next()
    }
}

/// Whether a Normalize module normalizes the vectors of texts.
fn is_of_texts(directory: &Path, folder: &str) -> Result<bool, Error> {
    let path = directory.join(folder).join(MODULE_FILE);
    // Without a folder of its own, the file is the transformer's; releases before 5.5 write none.
    if folder.is_empty() || !path.exists() {
        return Ok(true);
    }
    let module: Normalize = read_json(&path)?;
    let names = [module.module_input_name, module.module_output_name];
    Ok(names.iter().flatten().all(|name| name == TEXT_VECTORS))
}
