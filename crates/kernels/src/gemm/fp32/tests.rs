use half::f16;

use super::*;

/// Distance of rows beyond their length, so that a row that is read too far is noticed.
const APART: usize = 3;
/// Rows of several blocks, the last of which is not whole.
const MOST_ROWS: usize = 2 * ROWS + 1;

/// Numbers without a pattern between -1 and 1.
fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(next).collect()
}

/// Some rows, one panel and its bias.
struct Factors {
    inputs: usize,
    rows: Vec<f32>,
    panel: Vec<f32>,
    bias: [f32; PANEL],
}

impl Factors {
    fn new(inputs: usize) -> Self {
        Self {
            inputs,
            rows: numbers(MOST_ROWS * (inputs + APART), 1),
            panel: numbers(PANEL * inputs, 2),
            bias: std::array::from_fn(|column| column as f32 * 0.1 - 1.0),
        }
    }

    fn multiply(
        &self,
        instructions: InstructionSet,
        first: usize,
        count: usize,
    ) -> Vec<[f32; PANEL]> {
        self.multiply_with(&self.panel, instructions, first, count)
    }

    fn multiply_with<W: Weight>(
        &self,
        panel: &[W],
        instructions: InstructionSet,
        first: usize,
        count: usize,
    ) -> Vec<[f32; PANEL]> {
        let stride = self.inputs + APART;
        let rows = Strided {
            floats: &self.rows[first * stride..],
            stride,
        };
        let mut products = vec![[f32::NAN; PANEL]; count];
        instructions.multiply(rows, panel, &self.bias, &mut products);
        products
    }

    fn expected(&self, row: usize, output: usize) -> f64 {
        let term = |input| {
            let weight = self.panel[packed_index(output, input, self.inputs)];
            f64::from(self.rows[row * (self.inputs + APART) + input]) * f64::from(weight)
        };
        f64::from(self.bias[output]) + (0..self.inputs).map(term).sum::<f64>()
    }
}

#[test]
fn every_instruction_set_gives_the_product() {
    for inputs in [1, 7, 64, 1024] {
        let factors = Factors::new(inputs);
        for instructions in InstructionSet::available() {
            for count in 1..=MOST_ROWS {
                let products = factors.multiply(instructions, 0, count);
                for (row, product) in products.iter().enumerate() {
                    for (output, &found) in product.iter().enumerate() {
                        let difference = (f64::from(found) - factors.expected(row, output)).abs();
                        assert!(
                            difference < 1e-4,
                            "{instructions:?}, {count} x {inputs}: off by {difference}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_row_gives_the_same_bits_whatever_is_multiplied_beside_it() {
    let factors = Factors::new(384);
    for instructions in InstructionSet::available() {
        let together = factors.multiply(instructions, 0, MOST_ROWS);
        for (row, together) in together.iter().enumerate() {
            let alone = factors.multiply(instructions, row, 1);
            assert_eq!(&alone[0], together, "{instructions:?}, row {row}");
        }
    }
}

#[test]
fn halves_give_the_bits_of_the_floats_that_they_mean() {
    for inputs in [1, 7, 384] {
        let mut factors = Factors::new(inputs);
        let halves: Vec<f16> = factors.panel.iter().copied().map(f16::from_f32).collect();
        factors.panel = halves.iter().map(|half| half.to_f32()).collect();
        for instructions in InstructionSet::available() {
            for count in 1..=MOST_ROWS {
                let found = factors.multiply_with(&halves, instructions, 0, count);
                let expected = factors.multiply(instructions, 0, count);
                assert_eq!(found, expected, "{instructions:?}, {count} x {inputs}");
            }
        }
    }
}

#[test]
fn processors_that_multiply_and_add_at_once_give_the_same_bits() {
    let factors = Factors::new(384);
    let mut products = InstructionSet::available()
        .into_iter()
        .filter(|instructions| instructions.is_fused())
        .map(|instructions| factors.multiply(instructions, 0, MOST_ROWS));
    let first = products.next();
    assert!(products.all(|product| Some(&product) == first.as_ref()));
}
