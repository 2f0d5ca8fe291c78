"""The tuned path: attention kernels, 8-bit linear layers, fused element-wise work, a VAE without state."""
