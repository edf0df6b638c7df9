/*
 * One question, one answer, within the limit. Whatever is not exactly that makes
 * the gate defective for good: who speaks out of turn once cannot be told from
 * who answers the question before.
 */
#include "gates_internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "log.h"

#define KEPT_QUESTION (1u << 20)

/* The mutex is held. Returns BAT_USE_INVALID. */
static int
give_up(struct gate *gate, const char *why)
{
	snprintf(gate->defect, sizeof(gate->defect), "%s", why);
	batfs_log("gate %s is defective: %s; every append is denied until the "
		  "next mount",
	    gate->name, gate->defect);
	batfs_gates_kill(gate->all, gate);
	close(gate->to);
	close(gate->from);
	gate->to = gate->from = -1;
	return BAT_USE_INVALID;
}

/* How much was written, or -1: it reads no more. */
static ssize_t
write_some(const struct gate *gate, size_t sent)
{
	ssize_t done = write(gate->to, gate->question.data + sent,
	    gate->question.length - sent);

	if (done < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return done;
}

/* What it has said by now, behind the answer. 0, BAT_END (there was nothing),
 * BAT_WORLD_NO_MEMORY, or BAT_WORLD_IO: its stdout is closed. */
static int
read_some(struct gate *gate)
{
	uint8_t piece[4096];
	ssize_t got = read(gate->from, piece, sizeof(piece));

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return BAT_END;
	return got <= 0 ? BAT_WORLD_IO :
			  bat_bytes_append(&gate->answer, piece, (size_t)got);
}

/* NULL: what was read is an answer, or the beginning of one. */
static const char *
judge(const struct gate *gate, bool asked, bool *out_whole)
{
	const struct bat_buf *answer = &gate->answer;
	const uint8_t *end = memchr(answer->data, '\n', answer->length);

	*out_whole = end != NULL;
	if (!asked)
		return "it answered before it had read the question";
	if (end != NULL && end + 1 != answer->data + answer->length)
		return "it said more than one line";
	if (answer->length > BATFS_GATES_ANSWER_MAX)
		return "its answer is too long";
	return NULL;
}

/* The milliseconds that are left, rounded up; never less than 0. */
static int
left_ms(int64_t until_ns)
{
	int64_t left = until_ns - bat_clock_monotonic_ns(bat_clock_system());

	return left <= 0 ? 0 : (int)((left + 999999) / 1000000);
}

/* NULL: answer has a whole line. *out_code: 0, or no memory for it. */
static const char *
exchange(struct gate *gate, int64_t until_ns, int *out_code)
{
	size_t sent = 0;
	bool whole = false;

	while (!whole) {
		bool asked = sent == gate->question.length;
		struct pollfd fds[2] = {
			{ .fd = gate->from, .events = POLLIN },
			{ .fd = asked ? -1 : gate->to, .events = POLLOUT },
		};
		int left = left_ms(until_ns), ready;

		ready = poll(fds, 2, left);
		if (ready < 0 && errno != EINTR)
			return strerror(errno);
		if (ready == 0 && left == 0)
			return "it did not answer in time";
		if (ready > 0 && fds[0].revents != 0) {
			const char *why;

			*out_code = read_some(gate);
			if (*out_code == BAT_WORLD_IO)
				return "it has ended";
			if (*out_code == BAT_WORLD_NO_MEMORY)
				return "no memory for its answer";
			why = *out_code == 0 ? judge(gate, asked, &whole) :
					       NULL;
			if (why != NULL)
				return why;
		} else if (ready > 0) {
			ssize_t done = write_some(gate, sent);

			if (done < 0)
				return "it reads no more";
			sent += (size_t)done;
		}
	}
	return NULL;
}

/* Did it say something that nobody asked for? */
static bool
is_quiet(struct gate *gate)
{
	struct pollfd from = { .fd = gate->from, .events = POLLIN };

	return poll(&from, 1, 0) <= 0 || (from.revents & POLLIN) == 0;
}

static int
ask_it(struct gate *gate, struct bat_denial *denial, struct bat_error *error)
{
	int64_t until_ns = bat_clock_monotonic_ns(bat_clock_system()) +
	    (int64_t)gate->all->limit_s * 1000000000;
	struct bat_slice line;
	const char *why;
	int code = 0;

	if (!is_quiet(gate))
		return give_up(gate, "it said something without being asked");
	bat_bytes_clear(&gate->answer);
	why = exchange(gate, until_ns, &code);
	if (why != NULL && BAT_PLANT(235))
		return 0;
	if (why != NULL)
		return give_up(gate, why);
	line = bat_bytes_of_buf(&gate->answer);
	line.length--;
	code = batfs_gates_answer(line, denial, error);
	if (code == BAT_USE_INVALID)
		return give_up(gate, error->text);
	return code;
}

int
batfs_gates_ask(void *context, const struct bat_proposal *proposal,
    struct bat_denial *denial, struct bat_error *error)
{
	struct gate *gate = context;
	int code = 0;

	pthread_mutex_lock(&gate->mutex);
	if (gate->defect[0] == '\0') {
		bat_bytes_clear(&gate->question);
		code = batfs_gates_question(proposal, &gate->question);
		if (code == 0)
			code = ask_it(gate, denial, error);
		/* The next one is hardly as long. */
		if (gate->question.capacity > KEPT_QUESTION)
			bat_bytes_free(&gate->question);
	}
	if (gate->defect[0] != '\0')
		code = bat_error_set(error, BAT_USE_INVALID,
		    "%s; it is asked again after the next mount", gate->defect);
	else if (code == BAT_WORLD_NO_MEMORY)
		bat_error_set(error, code, "no memory to ask");
	pthread_mutex_unlock(&gate->mutex);
	return code;
}
