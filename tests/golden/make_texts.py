"""Writes texts.json, the texts every golden vector is made from.

The texts are kept here rather than in the JSON file because many of them hold
characters that cannot be seen: a Python escape says what is there.

    python tests/golden/make_texts.py
"""

import json
import unicodedata
from pathlib import Path

OUTPUT = Path(__file__).with_name("texts.json")

FRENCH = "Où est passée la clé de l’hôtel près du château ?"
VIETNAMESE = "Thời tiết ở thành phố Hồ Chí Minh hôm nay thế nào?"
KOREAN = "머신러닝이란 무엇인가요?"

SHORT_TEXTS = {
    # English sentences that other tests compare with each other.
    "question_about_machine_learning": "What is machine learning?",
    "question_about_a_password": "How do I reset my password?",
    "statement_about_credentials": "I forgot my login credentials",
    "statement_about_the_weather": "The weather is nice today",
    # The smallest inputs.
    "one_word": "hello",
    "one_letter": "a",
    "one_digit": "7",
    "one_full_stop": ".",
    "one_chinese_character": "水",
    "one_combining_mark": "\u0301",
    "one_emoji": "😀",
    # Emoji and their sequences.
    "emoji_within_a_sentence": "Shipping on Friday 🚀, wish us luck 🤞🏽",
    "family_joined_by_zwj": "👨\u200d👩\u200d👧\u200d👦",
    "rainbow_flag_joined_by_zwj": "🏳\ufe0f\u200d🌈 pride",
    "regional_flags": "🇯🇵🇧🇷🇪🇺",
    "keycap_sequence": "press 1\ufe0f\u20e3 or #\ufe0f\u20e3",
    "heart_as_text_and_as_emoji": "\u2764\ufe0e \u2764\ufe0f",
    # Latin script beyond ASCII.
    "french_question_composed": unicodedata.normalize("NFC", FRENCH),
    "french_question_decomposed": unicodedata.normalize("NFD", FRENCH),
    "german_question": "Wie groß ist die Straße zwischen Köln und Düsseldorf?",
    "german_capital_sharp_s": "GRO\u1e9eE STRA\u1e9eE",
    "spanish_question": "¿Cuándo sale el próximo tren a Logroño, señor?",
    "portuguese_question": "Quantas estações há até São João?",
    "polish_pangram": "Pchnąć w tę łódź jeża lub ośm skrzyń fig",
    "czech_sentence": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "icelandic_words": "Það er ævintýri að læra íslensku",
    "turkish_dotted_and_dotless_i": "İstanbul'da ılık bir ışık, IŞIK ve İZMİR",
    "turkish_decomposed_dotted_i": "I\u0307stanbul i\u0307yi",
    "vietnamese_question_composed": unicodedata.normalize("NFC", VIETNAMESE),
    "vietnamese_question_decomposed": unicodedata.normalize("NFD", VIETNAMESE),
    "stacked_combining_marks": "Z\u0351\u036b\u0343a\u0363\u0341l\u0348\u034eg\u0321\u032fo\u0325",
    "marks_out_of_canonical_order": "q\u0307\u0323 and q\u0323\u0307",
    # Other scripts.
    "greek_question": "Πού βρίσκεται ο πλησιέστερος σταθμός;",
    "greek_final_sigma_upper_case": "ΟΔΥΣΣΕΥΣ ΚΑΙ ΣΙΣΥΦΟΣ",
    "greek_polytonic": "ἐν ἀρχῇ ἦν ὁ λόγος",
    "russian_question": "Где находится ближайшая ёлка, йод и ещё объезд?",
    "russian_decomposed": unicodedata.normalize("NFD", "ёлка и йод"),
    "ukrainian_sentence": "Чи є у вас їжа для ґав?",
    "arabic_question": "ما هو التعلم الآلي وكيف يعمل؟",
    "arabic_with_vowel_marks": "اَلْعَرَبِيَّةُ لُغَةٌ جَمِيلَةٌ",
    "arabic_with_tatweel": "مرحـــــبا",
    "arabic_presentation_forms": "\ufedf\ufe8e \ufefb \ufdfa",
    "hebrew_question": "איפה נמצאת תחנת הרכבת?",
    "hebrew_with_niqqud": "בְּרֵאשִׁית בָּרָא אֱלֹהִים",
    "persian_question": "یادگیری ماشین چیست و کتاب\u200cها کجا هستند؟",
    "urdu_sentence": "یہ کتاب بہت دلچسپ ہے۔",
    "hindi_question": "मशीन लर्निंग क्या है और यह कैसे काम करती है?",
    "hindi_with_zero_width_joiner": "क्\u200dष और क्\u200cष",
    "bengali_question": "আজকের আবহাওয়া কেমন?",
    "tamil_question": "இயந்திர கற்றல் என்றால் என்ன?",
    "telugu_words": "తెలుగు భాష",
    "thai_without_spaces": "การเรียนรู้ของเครื่องคืออะไรและทำงานอย่างไร",
    "khmer_words": "ភាសាខ្មែរ",
    "burmese_words": "မြန်မာဘာသာ",
    "tibetan_words": "བོད་སྐད་",
    "chinese_simplified_question": "机器学习是什么？它怎么工作？",
    "chinese_traditional_question": "機器學習是什麼？它怎麼運作？",
    "chinese_outside_the_basic_plane": "𠮷野家的𩸽",
    "chinese_compatibility_ideographs": "\uf900\uf9d0\ufa1a",
    "japanese_mixed_scripts": "機械学習とは何ですか？カタカナとひらがな、そしてABC。",
    "japanese_half_width_katakana": "ｶﾞｷﾞｸﾞ ﾊﾝｶｸ",
    "japanese_decomposed_voicing": "か\u3099き\u3099は\u309a",
    "korean_hangul": unicodedata.normalize("NFC", KOREAN),
    "korean_conjoining_jamo": unicodedata.normalize("NFD", KOREAN),
    "korean_compatibility_jamo": "ㄱㄴㄷ ㅏㅑㅓ ㅋㅋㅋ",
    "amharic_question": "የአየር ሁኔታ ዛሬ እንዴት ነው?",
    "georgian_question": "რა არის მანქანური სწავლება?",
    "georgian_capitals": "ᲡᲐᲥᲐᲠᲗᲕᲔᲚᲝ",
    "armenian_sentence": "Բարև, ինչպե՞ս եք",
    "cherokee_words": "ᏣᎳᎩ ꮳꮃꭹ",
    "mongolian_vertical_script": "ᠮᠣᠩᠭᠣᠯ",
    "gothic_outside_the_basic_plane": "𐌲𐌿𐍄𐌹𐍃𐌺",
    "mixed_scripts_in_one_sentence": "Hello мир 世界 שלום नमस्ते สวัสดี γειά!",
    "mixed_scripts_in_one_word": "pаypаl αβcд中文abc",
    "right_to_left_with_embedded_latin": "קנה iPhone 15 ב-\u200e50%\u200f הנחה",
    "bidirectional_controls": "\u202eabc\u202c \u2066def\u2069",
    # Characters that are not letters.
    "null_character_inside": "before\u0000after \u0000 alone",
    "bell_character_inside": "ding\u0007dong",
    "c0_and_delete_controls": "a\u0001b\u0008c\u001bd\u001fe\u007ff",
    "c1_controls": "a\u0080b\u0099c\u009fd",
    "next_line_character": "first\u0085second",
    "line_and_paragraph_separators": "first\u2028second\u2029third",
    "zero_width_space": "zero\u200bwidth \u200b space",
    "byte_order_mark_first_and_inside": "\ufeffmarked and\ufeffmarked",
    "soft_hyphen": "hy\u00adphen\u00adation",
    "word_joiner_and_invisible_times": "a\u2060b\u2062c",
    "combining_grapheme_joiner": "a\u034fb",
    "private_use_characters": "logo \ue000\uf8ff \U000f0000 end",
    "unassigned_code_points": "un\u0378assigned \U0003fffd end",
    "noncharacters": "non\uffff\ufdd0 \U0010ffff end",
    "replacement_character": "broken \ufffd\ufffd text",
    "tag_characters": "a\U000e0061\U000e007fb",
    "variation_selector_supplement": "葛\U000e0100城",
    "object_replacement_character": "see \ufffc here",
    # White space.
    "tabs_inside": "one\ttwo\t\tthree",
    "newlines_inside": "one\ntwo\r\nthree\rfour\n\nfive",
    "many_spaces_inside": "one     two          three",
    "leading_white_space": "   \t\n leading",
    "trailing_white_space": "trailing \n\t   ",
    "white_space_on_both_sides": "  both sides  ",
    "vertical_tab_and_form_feed": "one\u000btwo\u000cthree",
    "unicode_spaces": "a\u00a0b\u1680c\u2003d\u2009e\u202ff\u205fg\u3000h",
    # Code and other formal text.
    "rust_code": "fn main() -> Result<(), Box<dyn Error>> {\n"
    '    println!("{:?}", vec![1u8; 3]);\n    Ok(())\n}',
    "python_code": "def f(x: int = 0) -> list[int]:\n"
    "    return [i ** 2 for i in range(x) if i % 2 != 0]  # odd",
    "sql_query": "SELECT u.id, COUNT(*) FROM users AS u "
    "LEFT JOIN orders o ON o.user_id = u.id WHERE u.name LIKE '%o''b%' GROUP BY 1;",
    "json_document": '{"a": [1, 2.5e-3, null, true], "b\\n": {"c": "\\u00e9"}}',
    "html_fragment": '<p class="x">Fish &amp; chips<br/>&nbsp;<!-- note --></p>',
    "shell_command": "grep -rn 'TODO' ./src | awk -F: '{print $1}' >> out.txt && echo \"$?\"",
    "regular_expression": r"^(?:[a-z0-9_.+-]+)@(\w+\.)+[a-z]{2,}$",
    "latex_formula": r"\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}",
    "web_address": "https://www.example.org:8080/path/to/page.html?query=a+b&lang=de#section-2",
    "international_web_address": "http://müller.example/straße?q=größe%20ä",
    "mail_address": "Write to jane.doe+news@mail.example.com, please",
    "windows_path": r"C:\Users\Public\Documents\report (final).docx",
    "uuid_and_hash": "550e8400-e29b-41d4-a716-446655440000 deadbeefcafebabe",
    "snake_and_camel_case": "get_user_by_id getUserById GetUserByID GET_USER_BY_ID",
    "hashtag_and_mention": "#machinelearning with @someone",
    # Numbers and symbols.
    "numbers_and_dates": "On 2024-02-29 at 23:59:60, 1,234,567.89 people paid $3.50 (−12 %)",
    "numbers_of_other_scripts": "١٢٣٤ १२३४ 一二三四 Ⅳ ⅷ ½ ² ₃ ①②",
    "mathematical_symbols": "∀x∈ℝ: ∃y ≥ x² ∧ √y ≠ ∞ ∑∏∫ ≈ ±",
    "mathematical_letters": "𝐇𝐞𝐥𝐥𝐨 𝓦𝓸𝓻𝓵𝓭 𝟙𝟚𝟛",
    "currency_signs": "€5 £6 ¥7 ₹8 ₿9 ¢1",
    "typographic_quotes_and_dashes": "“quoted” ‘single’ «guillemets» – en — em … dots",
    "trade_marks_and_units": "Coca™ Pepsi® 5㎏ 20℃ ㏂ ㍿ №7",
    "ligatures": "eﬃcient ﬁnal ﬂow ĳs œuvre ǆ ﬅ",
    "full_width_forms": "ＦＵＬＬ　ｗｉｄｔｈ　１２３！？",
    "enclosed_letters": "Ⓐⓑ ⒸⒹ 🅰 ㊙",
    "superscript_and_subscript": "E=mc² H₂O xⁿ aᵢ",
    "box_drawing_and_arrows": "┌─┐ → ⇒ ■ ★ ♞ ⠿",
    "lower_case_sentence": "the quick brown fox jumps over the lazy dog",
    "upper_case_sentence": "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG",
    "title_case_sentence": "The Quick Brown Fox Jumps Over The Lazy Dog",
    "upper_case_with_accents": "ÉCOLE À CÔTÉ, ÑANDÚ, ÅNGSTRÖM",
    "lower_case_with_accents": "école à côté, ñandú, ångström",
    "punctuation_only": "?!... ---;:'\"()[]{}<>/\\|@#$%^&*~`_+=",
    "unicode_punctuation_only": "¡¿†‡•‰′″※‼⁇、。「」『』【】〜",
    "apostrophes_and_hyphens": "don't rock'n'roll state-of-the-art O'Neill's 'tis",
    "repeated_punctuation": "wait!!!!!!!!!!!! what????????",
    "repeated_letters": "soooooooooo goooooood yessssssss",
    "word_of_300_letters": "abcdefghijklmnopqrstuvwxyz" * 11 + "abcdefghijklmn",
    "word_of_300_equal_letters": "x" * 300,
    "words_of_99_100_and_101_letters": " ".join("y" * n for n in (99, 100, 101)),
    # The special tokens themselves, written as text.
    "bert_special_tokens_as_text": "[CLS] [SEP] [MASK]",
    "bert_special_tokens_within_words": "a[SEP]b [mask] [PAD][UNK] [CLS",
    "roberta_special_tokens_as_text": "<s> </s> <mask>",
    "roberta_special_tokens_within_words": "a</s>b <MASK> <pad><unk> <s",
    "mask_token_after_spaces": "fill in   <mask>   and [MASK] here",
    "sentencepiece_and_wordpiece_markers": "▁under ▁▁ ##ing un##able",
    "unusual_misspelled_words": "Teh qiuck borwn fxo jmups ovre teh lzay dgo",
    "foreign_words_without_spaces": "Donaudampfschifffahrtsgesellschaftskapitän "
    "antidisestablishmentarianism",
    "several_sentences": "It rained all night. In the morning, the river had risen by a metre; "
    "nobody could cross it. “We wait,” she said, and sat down.",
}

# Every word here is one token of a BERT vocabulary, so n words make n + 2 tokens.
PLAIN_WORDS = (
    "river mountain village winter summer market garden window bridge harbor "
    "teacher doctor farmer soldier painter writer engine station letter music "
    "paper silver golden green yellow purple bright silent ancient modern "
    "strong gentle small large early late under over between behind "
    "walked carried opened closed painted followed found lost gave took "
    "and but because while when after before with without through"
).split()

PARAGRAPH = (
    "The old lighthouse stood at the end of the pier, and every evening its "
    "keeper climbed the narrow stairs to light the lamp. Ships from distant "
    "countries passed slowly in the dark, carrying grain, timber, coal and "
    "letters. In winter the waves broke over the rocks with such force that "
    "the windows shook; in summer children came to fish from the wall and to "
    "ask him for stories. He told them about storms, about whales he had seen "
    "as a boy, and about the night when the lamp went out."
)


def cycled_words(count: int, stride: int = 7) -> str:
    """`count` plain words in an order that is not simply repeated."""
    size = len(PLAIN_WORDS)
    return " ".join(PLAIN_WORDS[(i * stride + i // size) % size] for i in range(count))


def long_texts() -> dict[str, str]:
    """Texts named by their length in MiniLM tokens, [CLS] and [SEP] included."""
    return {
        "exactly_32_minilm_tokens": cycled_words(30),
        "exactly_64_minilm_tokens": cycled_words(62),
        "about_100_tokens": PARAGRAPH,
        "about_200_tokens": f"{PARAGRAPH}\n\n{PARAGRAPH.upper()}",
        "just_over_128_minilm_tokens": cycled_words(127),
        "just_under_256_minilm_tokens": cycled_words(253),
        "exactly_256_minilm_tokens": cycled_words(254),
        "just_over_256_minilm_tokens": cycled_words(255),
        "same_start_as_just_over_256_tokens": cycled_words(254) + " music",
        "about_300_tokens": "\n".join([PARAGRAPH] * 3),
        "chinese_beyond_256_tokens": "学习使人进步，读书让人明理。" * 30,
        "several_thousand_words": cycled_words(4000, stride=11),
    }


def json_line(name: str, text: str) -> str:
    """One array entry, escaped where an editor would hide or change a character."""
    decomposed = not unicodedata.is_normalized("NFC", text)
    line = json.dumps({"name": name, "text": text}, ensure_ascii=decomposed)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in line)


def main() -> None:
    texts = SHORT_TEXTS | long_texts()
    assert all(text.strip() for text in texts.values()), "no text may be blank"
    lines = ",\n".join(json_line(name, text) for name, text in texts.items())
    OUTPUT.write_text(f"[\n{lines}\n]\n", encoding="utf-8", newline="\n")
    print(f"{len(texts)} texts in {OUTPUT.name}")


if __name__ == "__main__":
    main()
