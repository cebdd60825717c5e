use super::*;

/// Numbers without a pattern, among them the least and the greatest.
fn numbers(count: usize, seed: u32) -> impl Iterator<Item = u8> {
    let mut state = seed;
    (0..count).map(move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match state >> 28 {
            0 => u8::MIN,
            1 => u8::MAX,
            _ => (state >> 16) as u8,
        }
    })
}

#[test]
fn every_instruction_set_gives_the_exact_sums() {
    for inputs in [4, 12, 48, 1024] {
        for count in 1..=ROWS {
            let rows: Vec<u8> = numbers(count * inputs, 1).collect();
            let weights: Vec<i8> = numbers(PANEL * inputs, 2).map(|byte| byte as i8).collect();
            let expected = |row: usize, output: usize| -> i32 {
                let input = |input| {
                    let weight = weights[packed_index(output, input, inputs)];
                    i32::from(rows[row * inputs + input]) * i32::from(weight)
                };
                (0..inputs).map(input).sum()
            };
            for instructions in InstructionSet::available() {
                let mut sums = [[7; PANEL]; ROWS];
                instructions.multiply(&rows, &weights, &column_sums(&weights), &mut sums);
                for (row, sums) in sums[..count].iter().enumerate() {
                    for (output, &sum) in sums.iter().enumerate() {
                        assert_eq!(
                            sum,
                            expected(row, output),
                            "{instructions:?} {count} x {inputs}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn sums_that_would_overflow_sixteen_bits_are_exact() {
    let (rows, weights) = ([u8::MAX; 8], [i8::MIN; 8 * PANEL]);
    for instructions in InstructionSet::available() {
        let mut sums = [[0; PANEL]; ROWS];
        instructions.multiply(&rows, &weights, &column_sums(&weights), &mut sums);
        assert_eq!(sums[0], [255 * -128 * 8; PANEL], "{instructions:?}");
    }
}

#[test]
fn the_weights_of_an_input_are_found_again() {
    let inputs = 12;
    let weights: Vec<i8> = numbers(PANEL * inputs, 3).map(|byte| byte as i8).collect();
    for input in 0..inputs {
        let found = InputWeights::of(&weights, input);
        for output in 0..PANEL {
            let expected = i32::from(weights[packed_index(output, input, inputs)]);
            assert_eq!(found.weight(output), expected);
        }
    }
}
