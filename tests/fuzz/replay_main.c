/* replay_main.c - a fuzz target run over files and folders of inputs, without
 * libFuzzer: a corpus as a regression test. Exit 1 when there was nothing. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

#define INPUT_MAX (1 << 20)

static unsigned long inputs;

static void run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		exit(1);
	}
	uint8_t *room = malloc(INPUT_MAX);
	if (room == NULL)
		exit(1);
	const size_t n = fread(room, 1, INPUT_MAX, file);
	fclose(file);
	/* Exactly as long as the input: the sanitizer sees each byte past it. */
	uint8_t *input = malloc(n > 0 ? n : 1);
	if (input == NULL)
		exit(1);
	for (size_t i = 0; i < n; i++)
		input[i] = room[i];
	free(room);
	LLVMFuzzerTestOneInput(input, n);
	free(input);
	inputs++;
}

static void run_folder(const char *path)
{
	struct dirent **names;
	const int n = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char *file = NULL;
		if (names[i]->d_name[0] != '.' && asprintf(&file, "%s/%s", path, names[i]->d_name) > 0)
			run_file(file);
		free(file);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	for (int i = 1; i < argc; i++) {
		struct stat st;
		if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
			run_folder(argv[i]);
		else
			run_file(argv[i]);
	}
	printf("%s: %lu inputs\n", argv[0], inputs);
	return inputs > 0 ? 0 : 1;
}
