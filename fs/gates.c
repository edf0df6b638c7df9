#include "gates_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void
free_gate(struct gate *gate)
{
	if (gate->to >= 0)
		close(gate->to);
	if (gate->from >= 0)
		close(gate->from);
	if (gate->its_stdin >= 0)
		close(gate->its_stdin);
	if (gate->its_stdout >= 0)
		close(gate->its_stdout);
	pthread_mutex_destroy(&gate->mutex);
	bat_bytes_free(&gate->question);
	bat_bytes_free(&gate->answer);
	free(gate->path);
}

/* Behind their last question: their stdin ends, and then they do. */
void
batfs_gates_stop(struct batfs_gates *gates)
{
	if (gates == NULL)
		return;
	for (size_t i = 0; i < gates->count; i++)
		free_gate(&gates->gates[i]);
	batfs_gates_release(gates);
	free(gates);
}

/* What find has filled in stays. */
static void
prepare(struct batfs_gates *gates)
{
	for (size_t i = 0; i < gates->count; i++) {
		struct gate *gate = &gates->gates[i];

		gate->all = gates;
		gate->to = gate->from = -1;
		gate->its_stdin = gate->its_stdout = -1;
		pthread_mutex_init(&gate->mutex, NULL);
		gates->list[i] = (struct bat_gate){
			.id = gate->name,
			.ask = batfs_gates_ask,
			.context = gate,
		};
	}
}

int
batfs_gates_start(const struct batfs_gates_options *options,
    struct batfs_gates **out, struct bat_error *error)
{
	struct batfs_gates *gates = calloc(1, sizeof(*gates));
	int code;

	if (gates == NULL)
		return bat_error_set(error, BAT_WORLD_NO_MEMORY, "-o gates");
	gates->keeper = -1;
	gates->limit_s = options->limit_s;
	code = batfs_gates_find(gates, options->dir, error);
	prepare(gates);
	(void)signal(SIGPIPE, SIG_IGN);
	if (code == 0)
		code = batfs_gates_keep(gates, options->quiet, error);
	if (code != 0) {
		batfs_gates_stop(gates);
		return code;
	}
	*out = gates;
	return 0;
}

struct bat_gates
batfs_gates_list(const struct batfs_gates *gates)
{
	if (gates == NULL)
		return (struct bat_gates){ .count = 0 };
	return (struct bat_gates){ gates->list, gates->count };
}
