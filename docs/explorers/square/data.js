// Made by tools/export_explorers.py square. Do not edit.
globalThis.EXPLORER_DATA = {
 "seed": 0,
 "versions": {
  "jax": "0.10.2",
  "flax": "0.12.8",
  "optax": "0.2.8",
  "numpy": "2.4.6"
 },
 "recipe": "numpy.random.default_rng(start).normal, W and then Ŵ, as in lesson 01; b and b̂ are 0",
 "starts": 10,
 "sha256": "3458ea9681514d263e33bf045652b7c8a57a8760bcb7207e4354c78f0198aba9",
 "arrays": [
  {
   "name": "4 symbols, start 0, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 0, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 1, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 1, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 2, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 2, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 3, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 3, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 4, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 4, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 5, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 5, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 6, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 6, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 7, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 7, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 8, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 8, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "4 symbols, start 9, W",
   "type": "<f4",
   "shape": [
    4,
    2
   ]
  },
  {
   "name": "4 symbols, start 9, W_hat",
   "type": "<f4",
   "shape": [
    2,
    4
   ]
  },
  {
   "name": "8 symbols, start 0, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 0, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 1, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 1, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 2, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 2, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 3, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 3, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 4, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 4, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 5, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 5, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 6, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 6, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 7, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 7, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 8, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 8, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  },
  {
   "name": "8 symbols, start 9, W",
   "type": "<f4",
   "shape": [
    8,
    2
   ]
  },
  {
   "name": "8 symbols, start 9, W_hat",
   "type": "<f4",
   "shape": [
    2,
    8
   ]
  }
 ]
};
globalThis.EXPLORER_DATA.bytes = `
bL8APn9GB7698iM/39XWPaEhCb/9Irk+eemmP+Zzcj/+JzS/Vfmhv+qOH79uRSk9Ts0UwOwKYL4Dep+/4HU7v2nwsD6RVVI/DC+pPtvNpr9nxWc/NYvkPsR1
Cb8oxBQ/PKm6PomYlj7D1eg8YvULP0GIPL/e0Sa+WNj2vvxNGT82l0E+2NIFvxF9074AQRzA0FzmPwd0kj/Snaa+MBhGP9j6jz5Vxw2/3EF6P0UBn76bW6i+
IcpKv0Tw6D5ZKMu9a54CQASQI8ANEdY+WVkRv6bB576BxVy+dEcBwK5/bb6bfl2/BqxUQJs0Zz4GjLS+6ASQvhYFK78sD4e/ERfIvsnbJr8X6TK+6PTUP+i9
KD9OGdK/JYCqu1KbH7/dMhg+GdnNvwyTdz6yB3E+Ha7JP0wfoj4wswI/cx6/v7csEEBhS02/mISpv4JSfr6ZRNc++WmRP8Ct4D1Leg2/XudIv86tPz+SQNE/
WaiLPrfdnb/eUHW/bc3MP2rATz6Ytt2/f8yGPxFk4z8iaSPAt0YNvo/BgT/8Eq0/rV4nP4+hvz9SdZQ+2B8NPwMHNz40dIm/rbxYv95Ywj6shxS/MsKiPxk9
oTot9Zg+zFuMvtT9Y7+cyui+jNx9vyNZdj0sjKs/fgL8vnHXHr+UzPo+5bm2Pm3j1z0nM26/haHvvGT/MT+Df96/HBerv784rr8pB7S+VgEUwERuQb76DHW/
+8JkP/HzdD+FNbI/7HhEP8E1Wb11G1w/m7PAP/lRJ7/5Pxw/uYZNv6WteD4hA9S/ffYnP6tckj+hvOe+oWjcPjx6gD6D6Mm+kcZcv1cVAsDCiLQ/BRpDvdBt
IUAKg1M/QDmOPmy/AD5/Rge+vfIjP9/V1j2hIQm//SK5Pnnppj/mc3I//ic0v1X5ob/qjh+/bkUpPU7NFMDsCmC+A3qfv+B1O7+PVAu/GPKhvj3B0j4UcYU/
l54Dvkborj8zSiq/IfmzPtJJZz+FicA9+FU+vzL2a78KW+q+1XphPis7gb8fMla+afCwPpFVUj8ML6k+282mv2fFZz81i+Q+xHUJvyjEFD88qbo+iZiWPsPV
6Dxi9Qs/QYg8v97RJr5Y2Pa+/E0ZP6azIj3kvJW+JytIv7Sug77IZgU80xuNvuKjpT9Y3IA/sIMtwDDL8b919zK+VynYvjvFWj6kiV4+rIoHQLJWjr82l0E+
2NIFvxF9074AQRzA0FzmPwd0kj/Snaa+MBhGP9j6jz5Vxw2/3EF6P0UBn76bW6i+IcpKv0Tw6D5ZKMu9C5gLP4ZwG78p3wE+Emxkv0BqVz9FjEA+mkCpPpIt
0j6AYIG/jX5IPwWhA0B8uNG/W13dv1GewL/aaVc/Cs4DPmueAkAEkCPADRHWPllZEb+mwee+gcVcvnRHAcCuf22+m35dvwasVECbNGc+Boy0vugEkL4WBSu/
LA+HvxEXyL6MwfY+Zkd0vq0vdT/umEy+/7vGPHXdxT8JjAs/rFYBvyQ6O77bXwo/97D3P60Lir5yZ3m+0EuAPwrvYr9bXJW+ydsmvxfpMr7o9NQ/6L0oP04Z
0r8lgKq7Upsfv90yGD4Z2c2/DJN3PrIHcT4drsk/TB+iPjCzAj9zHr+/tywQQOAz9b/YB40/MOmovg1yYb9LAii/JwksvyWowj50ZuG95MS9P3cw6r8C6km7
xV1kv4qfRj9MjgfAtfivvpI3Vz5hS02/mISpv4JSfr6ZRNc++WmRP8Ct4D1Leg2/XudIv86tPz+SQNE/WaiLPrfdnb/eUHW/bc3MP2rATz6Ytt2/6WirvZfk
lL8GGSG/5tv5vrWbNr82qg0/ODOBvfjkFr8NvNE+ZnFUP5dO0r8icoO+QhJ7v5pPMb6sC6W/536pPH/Mhj8RZOM/ImkjwLdGDb6PwYE//BKtP61eJz+Pob8/
UnWUPtgfDT8DBzc+NHSJv628WL/eWMI+rIcUvzLCoj/tbKU/oT7mP82Y1bxnHbE/VuVnvwH6UL83gqY9tBeQPqarzL9fiN2/1sy1Ply4XL9yq5o/9gHKPk1H
nT78cVU+GT2hOi31mD7MW4y+1P1jv5zK6L6M3H2/I1l2PSyMqz9+Avy+cdcev5TM+j7lubY+bePXPSczbr+Foe+8ZP8xPzkPrL+dTOq+RFvzv5MPpb/5veu/
u7twvrA7or8p44o+W4MgPtNqP76XEiHAx+cJv+2oRr2LDug9fdvDvxSc9L6Df96/HBerv784rr8pB7S+VgEUwERuQb76DHW/+8JkP/HzdD+FNbI/7HhEP8E1
Wb11G1w/m7PAP/lRJ7/5Pxw/wMouvXhSuD/BPla/UWSavnKEuT4HJ4Q+btnRv0RmuD7srvK9doB1vmYHH74eOmA+p3/ovzm3xj9xh1y/knIPwLmGTb+lrXg+
IQPUv332Jz+rXJI/obznvqFo3D48eoA+g+jJvpHGXL9XFQLAwoi0PwUaQ73QbSFACoNTP0A5jj5nTSi/bjyyPyqcAb8Y9Mg/A/bLvrVqPj7d5sK/hfcVQJ2Q
wL2cLcW+tpNPP/IwZL/pgUQ/NeuVv/eUCz/upYW/
`;
