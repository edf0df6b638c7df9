/*
 * The part of intake_words that knows the words and what they mean.
 */
#include "intake_words.h"

#include "name.h"

static const char *const word_names[BATFS_WORD_COUNT] = {
	[BATFS_WORD_ENTITY] = "entity",
	[BATFS_WORD_SCOPE] = "scope",
	[BATFS_WORD_KIND] = "kind",
	[BATFS_WORD_CAUSE] = "cause",
	[BATFS_WORD_CORR] = "corr",
	[BATFS_WORD_KEY] = "key",
	[BATFS_WORD_EXPECT] = "expect",
	[BATFS_WORD_LANE] = "lane",
	[BATFS_WORD_DEPTH] = "depth",
	[BATFS_WORD_FLAGS] = "flags",
	[BATFS_WORD_TAGGED] = "tagged",
	[BATFS_WORD_RAW] = "raw",
	[BATFS_WORD_AS] = "as",
};

static bool
is_text(struct bat_slice value, const char *text)
{
	return bat_bytes_equal(value, bat_bytes_text(text));
}

enum batfs_intake_word
batfs_intake_words_find(struct bat_slice name)
{
	for (int word = 0; word < BATFS_WORD_COUNT; word++) {
		if (is_text(name, word_names[word]))
			return (enum batfs_intake_word)word;
	}
	return BATFS_WORD_COUNT;
}

const char *
batfs_intake_words_name(enum batfs_intake_word word)
{
	return word_names[word];
}

static int
set_kind(struct batfs_intake_words *words,
    const struct batfs_intake_resolver *resolver, struct bat_slice value,
    struct bat_error *error)
{
	uint16_t kind;
	bool known = bat_kind_from_text(value, &kind);

	if (!known && resolver->kind_alias != NULL)
		known = resolver->kind_alias(resolver->context, value, &kind);
	if (!known)
		return bat_error_set(error, BAT_USE_INVALID,
		    "kind is f.001, a number as 0xf001, or an alias of "
		    "-o kinds=");
	if (bat_kind_is_reserved(kind))
		return bat_error_set(error, BAT_USE_RESERVED,
		    "kinds 0.xxx and d.xxx are reserved; take one of 1 to c, "
		    "e or f");
	words->draft.kind = kind;
	return 0;
}

static int
set_cause(struct batfs_intake_words *words, struct bat_slice value,
    struct bat_error *error)
{
	struct bat_draft *draft = &words->draft;
	struct bat_slice number = BAT_SLICE_EMPTY;

	if (value.length > 4 && memcmp(value.data, "seq:", 4) == 0)
		number = bat_bytes_slice(value.data + 4, value.length - 4);
	if (is_text(value, "-"))
		draft->cause = BAT_CAUSE_NONE;
	else if (is_text(value, "last"))
		draft->cause = BAT_CAUSE_LAST;
	else if (is_text(value, "prev"))
		words->cause_prev = true;
	else if (batfs_name_number(number, &draft->cause_number))
		draft->cause = BAT_CAUSE_SEQ;
	else if (bat_id_from_hex(value, &draft->cause_id) &&
	    !bat_id_is_zero(&draft->cause_id))
		draft->cause = BAT_CAUSE_ID;
	else
		return bat_error_set(error, BAT_USE_INVALID,
		    "cause is an id of 32 hex digits, seq:N, last, prev or -");
	return 0;
}

static int
set_id(struct bat_id *id, struct bat_slice value, const char *why,
    struct bat_error *error)
{
	if (bat_id_from_hex(value, id) && !bat_id_is_zero(id))
		return 0;
	return bat_error_set(error, BAT_USE_INVALID, "%s", why);
}

static int
set_expect(struct bat_draft *draft, struct bat_slice value,
    struct bat_error *error)
{
	uint64_t clock = 0;

	if (is_text(value, "none"))
		draft->expect = BAT_EXPECT_NONE;
	else if (is_text(value, "exists"))
		draft->expect = BAT_EXPECT_SOME;
	else if (batfs_name_number(value, &clock) && clock <= UINT32_MAX)
		draft->expect = BAT_EXPECT_CLOCK;
	else
		return bat_error_set(error, BAT_USE_INVALID,
		    "expect is the entity's clock, none or exists");
	draft->expect_clock = (uint32_t)clock;
	return 0;
}

static int
set_number(uint32_t *out, uint32_t max, struct bat_slice value,
    struct bat_error *error)
{
	uint64_t number;

	if (!batfs_name_number(value, &number) || number > max)
		return bat_error_set(error, BAT_USE_INVALID,
		    "the word takes a decimal number of 0 to %u",
		    (unsigned)max);
	*out = (uint32_t)number;
	return 0;
}

int
batfs_intake_words_set(struct batfs_intake_words *words,
    enum batfs_intake_word word, const struct batfs_intake_resolver *resolver,
    struct bat_slice value, struct bat_error *error)
{
	struct bat_draft *draft = &words->draft;
	uint32_t flags = 0;
	int code;

	switch (word) {
	case BATFS_WORD_ENTITY:
		draft->entity = value;
		return 0;
	case BATFS_WORD_SCOPE:
		draft->scope = value;
		return 0;
	case BATFS_WORD_KIND:
		return set_kind(words, resolver, value, error);
	case BATFS_WORD_CAUSE:
		return set_cause(words, value, error);
	case BATFS_WORD_CORR:
		return set_id(&draft->corr, value,
		    "corr is an id of 32 hex digits, not all zero", error);
	case BATFS_WORD_KEY:
		words->content_key = is_text(value, "content");
		return words->content_key ?
		    0 :
		    set_id(&draft->key, value,
			"key is an id of 32 hex digits, not all zero, or "
			"content",
			error);
	case BATFS_WORD_EXPECT:
		return set_expect(draft, value, error);
	case BATFS_WORD_LANE:
		return set_number(&draft->lane, UINT32_MAX, value, error);
	case BATFS_WORD_DEPTH:
		return set_number(&draft->depth, UINT32_MAX, value, error);
	case BATFS_WORD_FLAGS:
		code = set_number(&flags, UINT8_MAX, value, error);
		draft->flags = (uint8_t)flags;
		return code;
	case BATFS_WORD_RAW:
		words->raw = value;
		return 0;
	case BATFS_WORD_AS:
		words->text = is_text(value, "text");
		return words->text ? 0 :
				     bat_error_set(error, BAT_USE_INVALID,
					 "lines are appended as JSON or, with "
					 "as=text, as text");
	case BATFS_WORD_TAGGED:
	case BATFS_WORD_COUNT:
		break;
	}
	return 0;
}
