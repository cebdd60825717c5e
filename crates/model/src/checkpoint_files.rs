//! The files of checkpoints that several parts read, and which forms of weights can be read.
//!
//! Owns their names, and what an error says about weights in a form that cannot be read.

use std::path::Path;

/// The configuration of the transformer.
pub const CONFIG_FILE: &str = "config.json";
/// What a checkpoint says of its tokenizer beside `tokenizer.json`.
pub const TOKENIZER_CONFIG_FILE: &str = "tokenizer_config.json";
/// The weights in one file.
pub const WEIGHTS: &str = "model.safetensors";
/// Which file has which tensor, when the weights are divided among several.
pub const WEIGHTS_INDEX: &str = "model.safetensors.index.json";
/// What an adapter changes, and in which model.
const ADAPTER: &str = "adapter_config.json";

const PICKLE: &str = "a Python pickle";
/// Writes safetensors beside a pickle, if it runs in the checkpoint's directory.
const CONVERT: &str = "convert it by running in its directory: python -c \"from transformers import AutoModel; AutoModel.from_pretrained('.').save_pretrained('.')\"";
const ONLY_SAFETENSORS: &str = "only model.safetensors is supported";
/// Weights that cannot be read: the file, what it is and what can be done about it.
const OTHER_FORMS: [(&str, &str, &str); 5] = [
    ("pytorch_model.bin", PICKLE, CONVERT),
    ("pytorch_model.bin.index.json", PICKLE, CONVERT),
    ("model.pt", PICKLE, ONLY_SAFETENSORS),
    ("tf_model.h5", "TensorFlow's", ONLY_SAFETENSORS),
    ("flax_model.msgpack", "Flax's", ONLY_SAFETENSORS),
];

/// Whether a directory holds weights, in whatever form.
pub fn have_weights(directory: &Path) -> bool {
    let others = OTHER_FORMS.iter().map(|(file, ..)| *file);
    [WEIGHTS, WEIGHTS_INDEX]
        .into_iter()
        .chain(others)
        .any(|file| directory.join(file).is_file())
}

/// Why an adapter cannot be exported; `None` for a whole model.
pub fn refuse_adapter(directory: &Path) -> Option<String> {
    directory.join(ADAPTER).is_file().then(|| {
        format!(
            "it is an adapter, such as LoRA's ({ADAPTER}), and not a whole model; merge it into its model first, for \
             example with PEFT's merge_and_unload, and save that"
        )
    })
}

/// Why the weights of a directory without safetensors cannot be read.
pub fn refuse_weights(directory: &Path) -> String {
    OTHER_FORMS
        .iter()
        .find(|(file, ..)| directory.join(file).is_file())
        .map_or_else(
            || format!("it has no {WEIGHTS}"),
            |(file, what, advice)| format!("its weights are {what} ({file}); {advice}"),
        )
}
