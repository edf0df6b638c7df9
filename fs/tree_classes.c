/*
 * The table of classes: a row says all that is common to the nodes of a class;
 * what a row's functions do stands in the tree_*.c beside this file. The rows
 * stand in one file for each part of the tree.
 */
#include "tree_internal.h"

/* clang-format off */
const struct batfs_tree_class batfs_tree_classes[BATFS_CLASS_COUNT] = {
#include "tree_classes_streams.inc"
#include "tree_classes_events.inc"
#include "tree_classes_chains.inc"
#include "tree_classes_copies.inc"
#include "tree_classes_questions.inc"
#include "tree_classes_by.inc"
#include "tree_classes_ctl.inc"
};
/* clang-format on */
