/*
 * 03: evaluate a model on the test sessions of the data it was trained on.
 *
 *   03_evaluate shop.safetensors shop/shop.yaml
 *
 * With the options of the training the data are read and split as they were then: the test sessions
 * are those that training never saw.
 */
#include <alterrec/alterrec.h>
#include <stdio.h>

enum { K = 20 };

static const int32_t scorers[] = {ALTERREC_FUSED, ALTERREC_ID, ALTERREC_TEXT, ALTERREC_POPULARITY};
static const char *const names[] = {"fused", "ID", "text", "popularity"};

/* Group -1 is all examples; the others are ranges of the label's occurrences in training. */
static void print_row(const alterrec_evaluation *evaluation, int64_t group, const char *name,
                      int64_t examples) {
    printf("%-16s %10lld", name, (long long)examples);
    for (int i = 0; i < 4; i++) {
        double value;
        if (alterrec_evaluation_metric(&value, evaluation, scorers[i], ALTERREC_HITS, K, group) ==
            ALTERREC_OK)
            printf(" %10.4f", value);
        else
            printf(" %10s", "-");
    }
    printf("\n");
}

static void print(const alterrec_evaluation *evaluation) {
    printf("%-16s %10s", "Hits@20", "examples");
    for (int i = 0; i < 4; i++)
        printf(" %10s", names[i]);
    printf("\n");
    print_row(evaluation, -1, "all", alterrec_evaluation_examples(evaluation));
    for (int64_t group = 0; group < alterrec_evaluation_groups(evaluation); group++) {
        int64_t low, high, examples;
        char name[64];
        if (alterrec_evaluation_group(&low, &high, &examples, evaluation, group) != ALTERREC_OK)
            return;
        if (high < 0)
            snprintf(name, sizeof name, "%lld or more", (long long)low);
        else
            snprintf(name, sizeof name, "%lld to %lld", (long long)low, (long long)high - 1);
        print_row(evaluation, group, name, examples);
    }
}

static alterrec_status evaluate(const char *model_path, const char *options) {
    alterrec_config *config = NULL;
    alterrec_dataset *dataset = NULL;
    alterrec_model *model = NULL;
    alterrec_evaluation *evaluation = NULL;
    alterrec_status status = alterrec_config_create(&config);
    if (status == ALTERREC_OK)
        status = alterrec_config_read(config, options);
    if (status == ALTERREC_OK)
        status = alterrec_dataset_read(&dataset, config);
    if (status == ALTERREC_OK)
        status = alterrec_model_load(&model, model_path);

    /* The training sessions give the popularity baseline and the groups. */
    if (status == ALTERREC_OK)
        status = alterrec_evaluate(
            &evaluation, model, alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TEST),
            alterrec_dataset_sessions(dataset, ALTERREC_SPLIT_TRAIN), NULL, NULL, NULL);
    if (status == ALTERREC_OK)
        print(evaluation);

    alterrec_evaluation_free(evaluation);
    alterrec_model_free(model);
    alterrec_dataset_free(dataset);
    alterrec_config_free(config);
    return status;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL.safetensors OPTIONS.yaml\n", argv[0]);
        return 2;
    }
    alterrec_status status = evaluate(argv[1], argv[2]);
    if (status != ALTERREC_OK) {
        fprintf(stderr, "%s: %s\n", alterrec_status_name(status), alterrec_last_error());
        return 1;
    }
    return 0;
}
