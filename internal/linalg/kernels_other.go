//go:build !amd64

package linalg

func dotBlocks[F Float](x, y []F) (F, int) { return 0, 0 }

func axpyBlocks[F Float](alpha F, x, y []F) int { return 0 }

func clipBlocks[F Float](r, s, x []F) int { return 0 }
