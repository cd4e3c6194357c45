// Package embed puts points of many dimensions into a plane, to be looked at.
//
// PCA finds the directions of largest variance of n points x_i in d dimensions: the
// eigenvectors of their covariance, Σ_i (x_i − x̄)(x_i − x̄)ᵀ/(n−1), by falling eigenvalue.
//
// TSNE is t-distributed stochastic neighbour embedding (van der Maaten and Hinton 2008,
// J. Mach. Learn. Res. 9:2579), exact: all pairs, no tree. With
//
//	p_j|i ∝ exp(−b_i |x_i − x_j|²), b_i such that exp(entropy of p_·|i) is the perplexity,
//	p_ij  = (p_j|i + p_i|j)/2n,   w_ij = 1/(1 + |y_i − y_j|²),   q_ij = w_ij/Σ_k≠l w_kl,
//
// it moves points y_i of the plane down the gradient of D(p‖q),
//
//	∂D/∂y_i = 4 Σ_j (p_ij − q_ij) w_ij (y_i − y_j),
//
// with momentum, a gain for every coordinate, and p exaggerated at first. Neighbourhoods mean
// something in the result; distances between clusters, and their sizes, do not.
package embed
