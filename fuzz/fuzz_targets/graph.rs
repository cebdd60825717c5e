#![no_main]

#[path = "../../tests/support/fuzzed_graph.rs"]
mod fuzzed_graph;
#[path = "../../tests/support/graph.rs"]
#[allow(dead_code, reason = "tests use more of it")]
mod graph;

use std::cell::LazyCell;

use fuzzed_graph::FuzzedGraph;
use graph::onnx::{Graph, Model};
use prost::Message;
use runpod_query::artifacts::Store;
use runpod_query::config::Settings;

thread_local! {
    static FUZZED: LazyCell<FuzzedGraph> = LazyCell::new(|| {
        let settings = Settings::load(None, Vec::new()).unwrap();
        let library = Store::open(&settings.artifacts).unwrap().runtime_library();
        FuzzedGraph::new(model::load_runtime(&library.unwrap()).unwrap())
    });
}

libfuzzer_sys::fuzz_target!(|graph: &[u8]| {
    FUZZED.with(|fuzzed| fuzzed.run(graph));
});

// Changed bytes seldom leave a graph that can be decoded, so most changes are made in the decoded one.
libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, most: usize, seed: u32| {
    let mut random = fastrand::Rng::with_seed(seed.into());
    let model = Model::decode(&data[..size]).ok();
    let Some(mut model) = model.filter(|_| random.u8(..8) > 0) else {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    };
    for _ in 0..random.u8(1..4) {
        if let Some(graph) = &mut model.graph {
            change(graph, &mut random);
        }
    }
    let bytes = model.encode_to_vec();
    if bytes.len() > most {
        return libfuzzer_sys::fuzzer_mutate(data, size, most);
    }
    data[..bytes.len()].copy_from_slice(&bytes);
    bytes.len()
});

const INTEGERS: [i64; 14] = [-2, -1, 0, 1, 2, 3, 4, 8, 16, 24, 32, 33, 1 << 40, i64::MAX];
const FLOATS: [f32; 8] = [0.0, 1e-5, 0.5, 1.0, -1.0, f32::MAX, f32::INFINITY, f32::NAN];
/// Bytes of a tensor that grows.
const MOST_DATA: usize = 1 << 17;

/// Makes one change that the check of a graph may or may not accept.
fn change(graph: &mut Graph, random: &mut fastrand::Rng) -> Option<()> {
    if graph.node.is_empty() || graph.initializer.is_empty() {
        return None;
    }
    let integer = random.choice(INTEGERS)?;
    let float = random.choice(FLOATS)?;
    let outputs = graph.node.iter().flat_map(|node| &node.output);
    let tensors = graph.initializer.iter().map(|tensor| &tensor.name);
    let inputs = graph.input.iter().map(|input| &input.name);
    let name = choose(outputs.chain(tensors).chain(inputs), random)?.clone();
    let operator = random.choice(&graph.node)?.op_type.clone();
    let (first, second) = (
        random.usize(..graph.node.len()),
        random.usize(..graph.node.len()),
    );
    match random.u8(..12) {
        0 => graph.node.swap(first, second),
        1 => drop(graph.node.remove(first)),
        2 => graph.node.insert(first, graph.node[second].clone()),
        3 => graph.node[first].op_type = operator,
        4 => *random.choice(&mut graph.node[first].input)? = name,
        5 | 6 => {
            let attributes = graph.node.iter_mut().flat_map(|node| &mut node.attribute);
            let attribute = choose(attributes, random)?;
            match attribute.i {
                Some(_) => attribute.i = Some(integer),
                None => attribute.f = Some(float),
            }
        }
        7 => random.choice(&mut graph.initializer)?.data_type = integer as i32,
        8 => random.choice(&mut graph.initializer)?.dims.push(integer),
        9 => {
            let tensor = random.choice(&mut graph.initializer)?;
            *random.choice(&mut tensor.dims)? = integer;
        }
        10 => {
            // A shape with data that fits it.
            let tensor = random.choice(&mut graph.initializer)?;
            let before = elements(&tensor.dims)?;
            *random.choice(&mut tensor.dims)? = integer;
            let data = tensor.raw_data.as_mut()?;
            let element = data.len().checked_div(before)?;
            let length = elements(&tensor.dims)?.checked_mul(element)?;
            data.resize(length.min(MOST_DATA), 0);
        }
        _ => {
            let data = random.choice(&mut graph.initializer)?.raw_data.as_mut()?;
            let place = random.choice(data.as_chunks_mut().0)?;
            *place = float.to_le_bytes();
        }
    }
    Some(())
}

/// Elements of a tensor of this shape, if it can be one.
fn elements(dims: &[i64]) -> Option<usize> {
    dims.iter().try_fold(1_usize, |elements, dim| {
        elements.checked_mul(usize::try_from(*dim).ok()?)
    })
}

fn choose<T>(from: impl Iterator<Item = T>, random: &mut fastrand::Rng) -> Option<T> {
    random.choice(from.collect::<Vec<_>>())
}
