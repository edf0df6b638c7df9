/*
 * Nodes to node numbers and back.
 *
 * Two numbers are called "inode" here and they are not the same:
 *
 * - The nodeid is what the kernel and we call a node while this mount stands.
 *   Nobody else sees it. This module makes it.
 * - st_ino is what tools see, keep in their databases and compare a month
 *   later. batfs_tree_inode makes that one, from names that last.
 *
 * A nodeid says by itself which node it is: 8 bits of class, then what the
 * class needs, 28 + 28 bits of name numbers or 56 bits of a plain number.
 *
 *	63     56 55            28 27             0
 *	[ class ][     scope      ][    entity     ]
 *	[ class ][     page, shard, sequence       ]
 *
 * So there is no table of nodes that the kernel knows, no count of its
 * look-ups and nothing to do when it forgets one: a FORGET that is lost, or
 * one for a node that was never handed out, cannot harm. A nodeid that the
 * kernel kept for a year of mount time still means the same, because name
 * numbers are never used twice and a sequence is a sequence. What it names may
 * be gone (a hidden event); the tree says so when it is asked.
 *
 * Nodes of the past do not fit, and stand in a table after all: past.h.
 *
 * The root is 1, as the protocol wants. Class 0 is nobody, so that every other
 * number below 2^56 is invalid, 0 included, and so is each number with bits
 * set that its class has no use for: one node, one number.
 *
 * What does not fit (2^28 names, 2^56 sequences) has no nodeid and cannot be
 * looked up; it is never cut short into another node's number.
 *
 * Threads: any, no state.
 */
#ifndef BATFS_INODE_H
#define BATFS_INODE_H

#include "tree.h"

#define BATFS_INODE_ROOT 1u

/* 0: the node's numbers do not fit. */
uint64_t batfs_inode_of(const struct batfs_node *node);
/* false: no node has this number. */
bool batfs_inode_node(uint64_t nodeid, struct batfs_node *out);

#endif
