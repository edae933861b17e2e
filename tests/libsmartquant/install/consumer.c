/* SPDX-License-Identifier: MIT */
/* A program of somebody else, in C. */
#include <smartquant/smartquant.h>

#include <stdio.h>

int main(void)
{
	smartquant_store *store = NULL;

	if (smartquant_store_open("embedded:", NULL, &store)) {
		fprintf(stderr, "%s\n", smartquant_last_error());
		return 1;
	}
	smartquant_store_release(store);
	printf("smartquant %s\n", smartquant_version());
	return 0;
}
